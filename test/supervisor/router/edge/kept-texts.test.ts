/** Texts that recur: which of them the receiver of a direction keeps, and for how long. */
import fc from 'fast-check'
import t from 'tap'
import { createEnvelope } from '../../../../src/messages/thread/envelope.ts'
import type { EventCodec } from '../../../../src/messages/thread/event-codec.ts'
import { keptLengthMax, TextWriter } from '../../../../src/supervisor/router/edge/kept-texts.ts'
import { createWorld, handleOne, named, settle } from './fake-world.ts'

interface Spoken {
  readonly type: 'spoken'
  readonly texts: readonly string[]
  readonly fails?: boolean
}

const spokenCodec: EventCodec<Spoken> = {
  type: 'spoken',
  encode(event, writer) {
    writer.u16(event.texts.length)
    for (const text of event.texts) writer.text(text)
    if (event.fails === true) throw new TypeError('told to fail')
  },
  decode: reader => ({ type: 'spoken', texts: Array.from({ length: reader.u16() }, () => reader.text()) }),
}

function spokenWorld(codec: EventCodec<Spoken> = spokenCodec) {
  const world = createWorld()
  const { a, b } = world
  for (const side of [a, b]) side.codecs.add(named(codec as unknown as EventCodec))
  settle(a, b)
  const say = (texts: readonly string[], fails = false) => {
    const codecOf = named(codec as unknown as EventCodec)
    a.edge.post(createEnvelope({ to: 'x', event: { type: 'spoken', texts, fails } as Spoken, codec: codecOf }))
  }
  /** What came since it was asked last. */
  const heard = () => {
    const texts: (readonly string[])[] = []
    for (let message = handleOne(b); message !== undefined; message = handleOne(b)) {
      texts.push((message.event as Spoken).texts)
    }
    return texts
  }
  return { ...world, say, heard }
}

/** A text, and so many others for which there is the same place. */
function rivalsOf(text: string, count: number): string[] {
  const place = placeOf(text)
  const rivals = [text]
  for (let index = 0; rivals.length <= count; index++) {
    if (placeOf(`rival ${index}`) === place) rivals.push(`rival ${index}`)
  }
  return rivals
}

function placeOf(text: string): number {
  const probe = new TextWriter()
  probe.find(text)
  return probe.find(text)
}

t.test('a text has a number from its second use on, and is told once', t => {
  const writer = new TextWriter()
  t.equal(writer.find('peer/1'), 0)
  const number = writer.find('peer/1')
  t.not(number, 0)
  t.equal(writer.find('peer/1'), number)
  t.same(writer.take(), [number, 'peer/1'])
  t.equal(writer.find('peer/1'), number)
  t.same(writer.take(), [])
  writer.reset()
  t.equal(writer.find('peer/1'), 0)
  t.end()
})

t.test('what is empty, or long, is not kept', t => {
  const writer = new TextWriter()
  for (const text of ['', 'x'.repeat(keptLengthMax + 1)]) t.same([writer.find(text), writer.find(text)], [0, 0])
  const longest = 'x'.repeat(keptLengthMax)
  t.same([writer.find(longest), writer.find(longest) > 0], [0, true])
  t.end()
})

t.test('a place that a batch refers to is not given to another text in that batch', t => {
  const writer = new TextWriter()
  const kept = 'a first text'
  writer.find(kept)
  const place = writer.find(kept)
  writer.take()
  const rival = rivalsOf(kept, 1)[1]!
  t.equal(writer.find(kept), place)
  t.same([writer.find(rival), writer.find(rival), writer.find(kept)], [0, 0, place])
  t.same(writer.take(), [])
  t.equal(writer.find(rival), place, 'in the next batch it is')
  t.same(writer.take(), [place, rival])
  t.equal(writer.find(kept), 0)
  t.end()
})

t.test('texts that never recur are hardly looked at, until some recur again', t => {
  const writer = new TextWriter()
  for (let index = 0; index < 1_000; index++) writer.find(`only once ${index}`)
  let uses = 1
  while (writer.find('again and again') === 0) uses++
  t.ok(uses > 16 && uses <= 48, `${uses} uses`)
  writer.find('another')
  t.not(writer.find('another'), 0)
  t.end()
})

t.test('every text arrives as it was sent, whatever is kept, refused, or sent anew', t => {
  // Those of three places, so that they compete.
  const rivals = [rivalsOf('one', 4), rivalsOf('two', 3), rivalsOf('three', 1)].flat()
  const event = fc.record({
    texts: fc.array(fc.constantFrom(...rivals), { maxLength: 4 }),
    fails: fc.nat(40),
    ends: fc.nat(6),
  })
  fc.assert(
    fc.property(fc.array(event, { minLength: 60, maxLength: 120 }), events => {
      const { a, b, say, heard } = spokenWorld()
      const sent: (readonly string[])[] = []
      const came: (readonly string[])[] = []
      for (const { texts, fails, ends } of [...events, { texts: [], fails: 2, ends: 0 }]) {
        say(texts, fails === 0)
        // With it the whole batch is encoded, but not posted.
        if (fails === 1) a.edge.post(createEnvelope({ to: 'x', event: { type: 'bad', call() {} } as { type: string } }))
        if (fails !== 0) sent.push(texts)
        if (ends !== 0) continue
        settle(a, b)
        came.push(...heard())
        settle(a, b)
      }
      came.push(...heard())
      if (JSON.stringify(came) !== JSON.stringify(sent)) throw new Error(`${came.length} of ${sent.length}, or others`)
    }),
    { numRuns: 100 },
  )
  t.pass()
  t.end()
})

t.test('a text is kept although the event that it came with was not read to its end', t => {
  const hasty: EventCodec<Spoken> = {
    ...spokenCodec,
    decode(reader) {
      const count = reader.u16()
      if (count > 1) throw new Error('too many')
      return { type: 'spoken', texts: Array.from({ length: count }, () => reader.text()) }
    },
  }
  const { a, b, say, heard } = spokenWorld(hasty)
  say(['peer', 'peer', 'peer'])
  settle(a, b)
  say(['peer'])
  settle(a, b)
  t.same(heard(), [['peer']])
  t.same(
    a.refusals.map(({ reason }) => reason),
    ['BAD_FRAME'],
  )
  t.end()
})
