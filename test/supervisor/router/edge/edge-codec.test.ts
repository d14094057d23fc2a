import t from 'tap'
import { createEnvelope } from '../../../../src/messages/thread/envelope.ts'
import type { EventCodec } from '../../../../src/messages/thread/event-codec.ts'
import { createWorld, named, numbered, numbers, settle } from './fake-world.ts'

const range = (length: number) => Array.from({ length }, (_, index) => index)

interface Numbered {
  readonly type: string
  readonly number: number
  readonly text?: string
}

function codecOf(type: string, rest: Partial<EventCodec<Numbered>> = {}): EventCodec {
  const codec: EventCodec<Numbered> = {
    type,
    encode(event, writer) {
      writer.f64(event.number)
      writer.text(event.text ?? '')
    },
    decode: reader => ({ type, number: reader.f64(), text: reader.text() }),
    ...rest,
  }
  return codec as unknown as EventCodec
}

function codedWorld(...codecs: EventCodec[]) {
  const world = createWorld({ window: 256, slots: 1024, outboxMax: 1024 })
  for (const codec of codecs) {
    world.a.codecs.add(named(codec))
    world.b.codecs.add(named(codec))
  }
  settle(world.a, world.b)
  return world
}

t.test('messages with and without a codec keep one order', t => {
  const { a, b } = codedWorld(codecOf('coded'), codecOf('also.coded'))
  const types = ['coded', 'plain', 'also.coded', 'coded', 'coded', 'plain', 'plain', 'also.coded']
  for (const number of range(200)) {
    a.edge.post(
      numbered(number, { type: types[number % types.length]!, to: `to/${number % 7}`, from: `from/${number % 5}` }),
    )
    if (number % 50 === 49) settle(a, b)
  }
  t.same(numbers(b.mailbox), range(200))
  t.same(
    b.mailbox.map(({ to }) => to),
    range(200).map(number => `to/${number % 7}`),
  )
  t.same(
    b.mailbox.map(({ from }) => from),
    range(200).map(number => `from/${number % 5}`),
  )
  t.same(
    b.mailbox.map(({ event }) => event.type),
    range(200).map(number => types[number % types.length]),
  )
  t.end()
})

t.test('every field survives the binary form', t => {
  const { a, b } = codedWorld(codecOf('coded'))
  const event = { type: 'coded', number: -1.5, text: 'grüße, 世界 🌍' }
  const full = {
    to: 'x',
    from: 'y',
    toIncarnation: 2 ** 32 - 1,
    requestId: 2 ** 45,
    deadlineMs: 1e12 + 0.25,
    lane: 'control' as const,
    event,
  }
  a.edge.post(createEnvelope(full))
  a.edge.post(createEnvelope({ to: 'x', event }))
  settle(a, b)
  t.match(b.mailbox[0], full)
  t.match(b.mailbox[1], {
    to: 'x',
    from: null,
    toIncarnation: 0,
    requestId: 0,
    deadlineMs: undefined,
    lane: 'normal',
    event,
  })
  t.end()
})

t.test('a codec is used from when the other side has told that it knows it, and not before', t => {
  const { a, b } = createWorld()
  let encoded = 0
  const counted: EventCodec<Numbered>['encode'] = (event, writer) => {
    encoded++
    writer.f64(event.number)
    writer.text('')
  }
  a.codecs.add(named(codecOf('coded', { encode: counted })))
  a.edge.post(numbered(1, { type: 'coded' }))
  settle(a, b)
  t.equal(encoded, 0)
  // The other side numbers its codecs as it likes.
  b.codecs.add(named(codecOf('another')))
  b.codecs.add(named(codecOf('coded')))
  a.edge.post(numbered(2, { type: 'coded' }))
  a.tick()
  settle(a, b)
  a.edge.post(numbered(3, { type: 'coded' }))
  a.edge.post(numbered(4, { type: 'another' }))
  settle(a, b)
  t.equal(encoded, 1)
  t.same(numbers(b.mailbox), [1, 2, 3, 4])
  t.end()
})

t.test('a codec that is added later is told to the edges that are open', t => {
  const { a, b } = codedWorld(codecOf('first'))
  let encoded = 0
  const counted: EventCodec<Numbered>['encode'] = (event, writer) => {
    encoded++
    writer.f64(event.number)
    writer.text('')
  }
  a.codecs.add(named(codecOf('second', { encode: counted })))
  b.codecs.add(named(codecOf('second')))
  settle(a, b)
  a.edge.post(numbered(1, { type: 'second' }))
  settle(a, b)
  t.equal(encoded, 1)
  t.same(numbers(b.mailbox), [1])
  t.end()
})

t.test('an event that its codec cannot encode is refused alone', t => {
  const picky = codecOf('picky', {
    encode(event, writer) {
      writer.f64(event.number)
      if (event.number === 3) throw new TypeError('not three')
      writer.text('')
    },
  })
  const { a, b } = codedWorld(picky)
  for (const number of range(6)) a.edge.post(numbered(number, { type: 'picky', to: `to/${number}` }))
  settle(a, b)
  t.same(
    b.mailbox.map(({ to }) => to),
    ['to/0', 'to/1', 'to/2', 'to/4', 'to/5'],
  )
  t.match(a.refusals, [{ reason: 'NOT_CLONABLE', cause: { message: 'not three' } }])
  for (const number of range(2)) a.edge.post(numbered(number, { type: 'picky', to: `to/${number}` }))
  settle(a, b)
  t.same(
    b.mailbox.slice(5).map(({ to }) => to),
    ['to/0', 'to/1'],
  )
  t.end()
})

t.test('an event that its codec cannot decode, or that reads too far, is refused alone', t => {
  const shy = codecOf('shy', {
    decode(reader) {
      const number = reader.f64()
      if (number === 2) throw new Error('no')
      if (number === 3) for (;;) reader.u32()
      return { type: 'shy', number, text: reader.text() }
    },
  })
  const { a, b } = codedWorld(shy)
  for (const number of range(6)) a.edge.post(numbered(number, { type: 'shy' }))
  settle(a, b)
  t.same(numbers(b.mailbox), [0, 1, 4, 5])
  t.same(
    a.refusals.map(({ message, reason }) => [numbers([message])[0], reason]),
    [
      [2, 'BAD_FRAME'],
      [3, 'BAD_FRAME'],
    ],
  )
  t.match(a.edge.stats(), { sent: 6, refused: 2, underWay: 4 })
  t.end()
})

t.test('a batch of one culprit that cannot be cloned leaves the coded messages around it whole', t => {
  const { a, b } = codedWorld(codecOf('coded'))
  for (const number of range(5)) {
    if (number === 2) a.edge.post(createEnvelope({ to: 'x', event: { type: 'bad', call() {} } as { type: string } }))
    else a.edge.post(numbered(number, { type: 'coded' }))
  }
  settle(a, b)
  t.same(numbers(b.mailbox), [0, 1, 3, 4])
  t.end()
})

t.test('a closed edge no longer listens for codecs', t => {
  const { a } = createWorld()
  a.edge.close()
  a.codecs.add(named(codecOf('late')))
  t.equal(a.tick(), false)
  t.end()
})
