/** Lines become messages and messages lines; how far an import has come is a line too. */
import t from 'tap'
import { LineCutter, lineOf, messageOf } from '../../src/cli/log/lines.ts'
import { meanRate, progressLine, RecentRate, storedLine } from '../../src/cli/log/progress.ts'
import { connectionTrouble, TroubleTeller } from '../../src/cli/log/trouble.ts'

t.test('however bytes come, lines are the same', async t => {
  const text = 'one\n\nthree is longer\nfour'
  for (let size = 1; size <= text.length; size++) {
    const cutter = new LineCutter(100)
    const lines: string[] = []
    for (let at = 0; at < text.length; at += size) {
      lines.push(...cutter.cut(Buffer.from(text.slice(at, at + size))).map(String))
    }
    t.same([...lines, String(cutter.last())], text.split('\n'), `${size} bytes at once`)
  }
  const cutter = new LineCutter(3)
  t.same(cutter.cut(Buffer.from('abc\n')).map(String), ['abc'])
  t.equal(cutter.last(), undefined)
  t.equal(cutter.isTooLong, false)
  t.same(cutter.cut(Buffer.from('a\nabcd\nb\n')).map(String), ['a'])
  t.equal(cutter.isTooLong, true)
  const inParts = new LineCutter(3)
  for (const part of ['ab', 'cd']) t.same(inParts.cut(Buffer.from(part)), [])
  t.equal(inParts.isTooLong, true)
})

const plain = { json: false, keySeparator: undefined, partition: undefined }
const message = { partition: 3, offset: 4, timestamp: 5, key: Buffer.from('k'), value: Buffer.from('v') }

t.test('a line is a value, a key and a value, or an object', async t => {
  const line = Buffer.from('a=b=c')
  t.same(messageOf(line, plain), { value: line })
  t.same(messageOf(line, { ...plain, partition: 7 }), { value: line, partition: 7 })
  t.same(messageOf(line, { ...plain, keySeparator: '=' }), { key: Buffer.from('a'), value: Buffer.from('b=c') })
  t.same(messageOf(line, { ...plain, keySeparator: ';' }), { value: line })
  const json = { ...plain, json: true }
  t.same(messageOf(Buffer.from('{"key":"k","value":null}'), json), { key: 'k', value: null })
  t.throws(() => messageOf(line, json), { message: /not JSON/ })
  t.throws(() => messageOf(Buffer.from('{"value":"\xff"}', 'latin1'), json), { message: 'it is not UTF-8' })
  const wrong: Readonly<Record<string, string | RegExp>> = {
    '{"key":1}': 'it is not an object with a value',
    null: 'it is not an object with a value',
    '{"value":[]}': 'value is an array, not a text, null or { "base64": text }',
    '{"value":{"base64":"?"}}': 'value is an object, not a text, null or { "base64": text }',
    '{"value":"","key":1}': 'key is 1, not a text, null or { "base64": text }',
    '{"value":"","partition":-1}': 'partition is -1, not a whole number from 0 to 4294967295',
    '{"value":"","timestamp":0.5}': /^timestamp is 0\.5, not a whole number/,
  }
  for (const [text, reason] of Object.entries(wrong)) {
    t.throws(() => messageOf(Buffer.from(text), json), { message: reason }, text)
  }
  const consumed = lineOf({ ...message, key: Buffer.from([255]) }, json)
  t.same(messageOf(consumed, json), { key: Buffer.from([255]), value: 'v', timestamp: 5 })
  t.same(messageOf(consumed, { ...json, partition: 9 }), {
    key: Buffer.from([255]),
    value: 'v',
    timestamp: 5,
    partition: 9,
  })
  const ofBase64 = (base64: string) => messageOf(Buffer.from(JSON.stringify({ value: { base64 } })), json)
  for (const [base64, text] of Object.entries({
    '': '',
    YQ: 'a',
    'YQ==': 'a',
    'YWI=': 'ab',
    YWJj: 'abc',
    w7_Dvw: 'ÿÿ',
  }))
    t.equal(String(ofBase64(base64).value), text)
  for (const base64 of ['Y', 'YWJjZ', '=', 'YWJj=', 'YQ===', 'Y=Q=', 'Y Q=', 'YQ=\n'])
    t.throws(() => ofBase64(base64), { message: /^value is an object/ }, base64)
  t.same(messageOf(Buffer.from('{"value":"","partition":4}'), json), { value: '', partition: 4 })
})

t.test('a message is a line', async t => {
  t.equal(String(lineOf(message, plain)), 'v\n')
  t.equal(String(lineOf({ ...message, value: null }, plain)), '\n')
  t.equal(String(lineOf(message, { ...plain, keySeparator: ' ' })), 'k v\n')
  const json = { ...plain, json: true }
  t.same(JSON.parse(String(lineOf(message, json))), { partition: 3, offset: 4, timestamp: 5, key: 'k', value: 'v' })
  const odd = { ...message, key: null, value: Buffer.from([255, 0]) }
  t.match(JSON.parse(String(lineOf(odd, json))), { key: null, value: { base64: '/wA=' } })
})

t.test('trouble is said at once, then seldom, sooner if it is another', async t => {
  const teller = new TroubleTeller()
  t.equal(teller.lineFor(undefined, 0), undefined)
  t.equal(teller.lineFor('a', 10), 'a; trying on')
  t.equal(teller.lineFor('a', 30_009), undefined)
  t.equal(teller.lineFor('a', 30_010), 'a; trying on')
  t.equal(teller.lineFor('b', 35_009), undefined)
  t.equal(teller.lineFor('b', 35_010), 'b; trying on')
  const lastError = { code: 'CONNECT_FAILED', message: 'no', atMs: 1 } as const
  const away = { server: 's', connections: 0, inFlight: 0, failures: 2, lastError }
  t.equal(connectionTrouble({ servers: [away, away] }), 'no; no')
  t.equal(connectionTrouble({ servers: [away, { ...away, connections: 1 }] }), undefined)
  t.equal(connectionTrouble({ servers: [{ ...away, failures: 1 }] }), undefined)
})

t.test('progress', async t => {
  const half = { messages: 12_345, bytes: 50, bytesTotal: 100, elapsedMs: 500 }
  t.equal(progressLine({ ...half, bytesTotal: undefined }, 0), '12,345 messages, 0/s')
  t.equal(progressLine(half, 24_690), `[${'='.repeat(15)}${' '.repeat(15)}] 50 %, 12,345 messages, 24,690/s`)
  t.match(progressLine({ ...half, bytes: 150 }, 1), '] 100 %')
  t.equal(storedLine(0, 500), '0 messages stored')
  t.equal(storedLine(1, 500), '1 message stored in 0.5 s, 2/s')
  t.equal(storedLine(1_000_000, 5_200), '1000000 messages stored in 5.2 s, 192,308/s')
})

t.test('the rate while it runs is that of the last seconds', async t => {
  const recent = new RecentRate()
  const rates: number[] = []
  // A thousand a second for ten seconds, then ten a second.
  for (let elapsedMs = 0; elapsedMs <= 20_000; elapsedMs += 100) {
    const messages = Math.min(elapsedMs, 10_000) + Math.max(0, elapsedMs - 10_000) / 100
    const rate = recent.of({ messages, elapsedMs })
    if (elapsedMs % 2_500 === 0) rates.push(rate)
  }
  t.same(rates, [0, 1_000, 1_000, 1_000, 1_000, 505, 10, 10, 10])
  t.equal(meanRate({ messages: 10_100, elapsedMs: 20_000 }), 505, 'the mean is another')
  t.equal(meanRate({ messages: 0, elapsedMs: 0 }), 0)
})
