import fc from 'fast-check'
import t from 'tap'
import { createEnvelope, type Envelope } from '../../../../src/messages/thread/envelope.ts'
import type { EventCodec } from '../../../../src/messages/thread/event-codec.ts'
import { createWorld, named, numbered, settle, unreadable, type WorldLimits } from './fake-world.ts'

const coded = {
  type: 'coded',
  encode: (event: { number: number }, writer: { u32(value: number): void }) => writer.u32(event.number),
  decode: (reader: { u32(): number }) => ({ type: 'coded', number: reader.u32() }),
} as unknown as EventCodec

/** One thing that happens at one of the two ends; `pick` chooses among messages, senders and lanes. */
const step = fc.record({
  verb: fc.constantFrom(
    ...(['post', 'post', 'post', 'tick', 'tick', 'read', 'read', 'start', 'start', 'finish'] as const),
    ...(['postBad', 'postUnreadable', 'putBack', 'drop', 'reply'] as const),
  ),
  end: fc.constantFrom('a', 'b'),
  pick: fc.nat(1_000),
  repeat: fc.integer({ min: 1, max: 12 }),
} as const)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const limits: fc.Arbitrary<WorldLimits> = fc.record({
  window: fc.integer({ min: 1, max: 12 }),
  outboxMax: fc.nat(12),
  slots: fc.integer({ min: 1, max: 64 }),
  reportMax: fc.nat(10),
})

/** Plays steps on a pair of ends and keeps its own book of every message. */
class Player {
  readonly world
  readonly book = { a: this.#page(), b: this.#page() }
  #number = 0

  constructor(given: WorldLimits) {
    this.world = createWorld(given)
    for (const name of ['a', 'b'] as const) {
      const end = this.world[name]
      end.codecs.add(named(coded))
      const page = this.book[name]
      end.verdict = message => {
        page.delivered.push(message)
        return numberOf(message) % 11 === 0 ? 'MAILBOX_FULL' : 'admitted'
      }
    }
  }

  #page() {
    return {
      accepted: [] as Envelope[],
      full: 0,
      delivered: [] as Envelope[],
      inHand: [] as Envelope[],
      done: [] as Envelope[],
      dropped: 0,
      replied: 0,
    }
  }

  play({ verb, end: name, pick, repeat }: Step): void {
    const end = this.world[name]
    const page = this.book[name]
    for (let left = repeat; left > 0; left--) {
      if (verb === 'post' || verb === 'postBad' || verb === 'postUnreadable') this.#post(name, pick + left, verb)
      else if (verb === 'tick') end.tick()
      else if (verb === 'read') end.port.step()
      else if (verb === 'reply') {
        const bad = pick % 5 === 0 ? () => {} : unreadable
        end.edge.reply(++page.replied, { status: 'ok', value: pick % 3 === 0 ? bad : pick })
      } else if (verb === 'start' || verb === 'drop') {
        const [message] = end.mailbox.splice(pick % Math.max(1, end.mailbox.length), 1)
        if (message === undefined) return
        if (verb === 'drop') {
          message.receipts.refuse(message.token, 'ACTOR_DIED')
          page.dropped++
        } else if (message.receipts.start(message.token)) page.inHand.push(message)
      } else {
        const [message] = page.inHand.splice(pick % Math.max(1, page.inHand.length), 1)
        if (message === undefined) return
        if (verb === 'putBack') {
          message.receipts.putBack(message.token)
          end.mailbox.push(message)
        } else {
          message.receipts.finish(message.token)
          page.done.push(message)
        }
      }
    }
  }

  #post(name: 'a' | 'b', pick: number, verb: 'post' | 'postBad' | 'postUnreadable'): void {
    const page = this.book[name]
    const number = ++this.#number
    const lane = pick % 4 === 0 ? 'control' : 'normal'
    const from = `from/${pick % 3}`
    const value = verb === 'postBad' ? () => {} : unreadable
    const message =
      verb === 'post'
        ? numbered(number, { lane, from, to: `to/${pick % 5}`, type: pick % 2 === 0 ? 'coded' : 'plain' })
        : createEnvelope({ to: `bad/${pick % 5}`, from, event: { type: 'bad', number, value } as { type: string } })
    const verdict = this.world[name].edge.post(message)
    if (verdict === 'full') page.full++
    else page.accepted.push(message)
  }
}

function numberOf(message: Envelope): number {
  return (message.event as unknown as { number: number }).number
}

function isRising(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > values[index - 1]!)
}

/** Every sender's messages of one lane, as they were delivered, are in the order of the posts. */
function checkOrder(delivered: readonly Envelope[]): void {
  for (const from of ['from/0', 'from/1', 'from/2']) {
    for (const lane of ['control', 'normal']) {
      const seen = delivered.filter(message => message.from === from && message.lane === lane).map(numberOf)
      if (!isRising(seen)) throw new Error(`${from} on ${lane} was reordered: ${seen}`)
    }
  }
}

const seed = Math.floor(Math.random() * 2 ** 31)

t.test(`whatever is posted, read, handled and dropped before a death, the counts add up (seed ${seed})`, t => {
  const seen = { handled: 0, inHand: 0, unprocessed: 0, lost: 0, refused: 0 }
  const property = fc.property(
    limits,
    fc.array(step, { maxLength: 120, size: 'max' }),
    fc.constantFrom('a dies', 'a closes'),
    (given, steps, how) => {
      const player = new Player(given)
      for (const one of steps) player.play(one)
      const { a, b } = player.world
      const mine = player.book.b
      // The other side dies, or this one closes while the other lives.
      if (how === 'a dies') a.port.end()
      else a.edge.close()
      const { sent, handled, inHand, unprocessed, lost, refused, ...report } = a.reports[0]!
      const book = player.book.a
      const delivered = mine.delivered.length
      const facts: [string, number, number][] = [
        ['the sum of fates', handled + inHand + unprocessed + lost + refused, sent],
        ['accepted', sent + report.unsent.length + report.notClonable, book.accepted.length],
        ['handled', handled, mine.done.length],
        ['counted by the receiver', report.handledByReceiver, mine.done.length],
        ['in hand', inHand, mine.inHand.length],
        ['lost', lost, sent - delivered],
        ['refused', refused, mine.dropped + mine.delivered.filter(message => numberOf(message) % 11 === 0).length],
        ['listed or the limit', Math.max(report.fates.length, given.reportMax!), given.reportMax!],
      ]
      for (const [name, actual, expected] of facts) {
        if (actual !== expected) throw new Error(`${name}: ${actual}, not ${expected}`)
      }
      seen.handled += handled
      seen.inHand += inHand
      seen.unprocessed += unprocessed
      seen.lost += lost
      seen.refused += refused
      checkOrder(mine.delivered)
      const begun = new Set([...mine.done, ...mine.inHand].map(numberOf))
      for (const message of book.accepted) {
        const expected = begun.has(numberOf(message)) ? 'unknown' : 'no'
        if (a.edge.handledOf(message) !== expected) throw new Error(`${numberOf(message)} is not '${expected}'`)
      }
      // Nothing that the report calls unhandled can be begun by a receiver that lives on.
      if (how === 'a closes' && b.mailbox.some(({ receipts, token }) => receipts.start(token))) throw new Error('begun')
    },
  )
  fc.assert(property, { numRuns: 2_000, seed })
  for (const [fate, count] of Object.entries(seen)) t.ok(count > 200, `${count} were ${fate}`)
  t.end()
})

t.test(
  `whatever happens, all that was accepted is handled, refused or told, once both sides go on (seed ${seed})`,
  t => {
    const property = fc.property(limits, fc.array(step, { maxLength: 120, size: 'max' }), (given, steps) => {
      const player = new Player(given)
      for (const one of steps) player.play(one)
      const ends = [player.world.a, player.world.b]
      for (const name of ['a', 'b'] as const) {
        for (const message of player.book[name].inHand.splice(0)) message.receipts.finish(message.token)
      }
      settle(...ends)
      while (ends.some(({ mailbox }) => mailbox.length > 0)) {
        player.play({ verb: 'start', end: 'a', pick: 0, repeat: 1 })
        player.play({ verb: 'finish', end: 'a', pick: 0, repeat: 1 })
        player.play({ verb: 'start', end: 'b', pick: 0, repeat: 1 })
        player.play({ verb: 'finish', end: 'b', pick: 0, repeat: 1 })
        settle(...ends)
      }
      for (const [name, end] of Object.entries(player.world) as ['a' | 'b', (typeof ends)[number]][]) {
        const { sent, handled, refused, notClonable, waiting, underWay } = end.edge.stats()
        if (waiting + underWay !== 0) throw new Error(`${waiting} wait and ${underWay} are under way`)
        if (sent !== handled + refused) throw new Error(`${sent} sent, ${handled} handled, ${refused} refused`)
        if (sent + notClonable !== player.book[name].accepted.length) throw new Error('accepted and sent differ')
        if (end.refusals.length !== refused + notClonable) throw new Error('a refusal was not told')
        checkOrder(player.book[name].delivered)
        const others = player.world[name === 'a' ? 'b' : 'a'].replies.map(({ requestId }) => requestId)
        if (others.length !== player.book[name].replied || !isRising(others)) throw new Error(`replied: ${others}`)
      }
    })
    fc.assert(property, { numRuns: 2_000, seed })
    t.pass()
    t.end()
  },
)
