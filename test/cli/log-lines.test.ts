/** Lines become messages and messages lines; how far an import has come is a line too. */
import t from 'tap'
import { LineCutter, lineOf, messageOf } from '../../src/cli/log/lines.ts'
import { progressLine } from '../../src/cli/log/progress.ts'

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
  t.throws(() => cutter.cut(Buffer.from('abcd')), { message: 'a line has more than 3 bytes' })
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
  t.throws(() => messageOf(Buffer.from('{"key":1}'), json), { message: /not an object with a value/ })
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

t.test('progress', async t => {
  t.equal(progressLine({ messages: 0, bytes: 0, bytesTotal: undefined, elapsedMs: 0 }), '0 messages, 0/s')
  const half = { messages: 12_345, bytes: 50, bytesTotal: 100, elapsedMs: 500 }
  t.equal(progressLine(half), `[${'='.repeat(15)}${' '.repeat(15)}] 50 %, 12,345 messages, 24,690/s`)
  t.match(progressLine({ ...half, bytes: 150 }), '] 100 %')
})
