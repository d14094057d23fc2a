/** A shard's connections without sockets and without a clock of their own: scenarios in, differences to the reference out. */

import { inspect } from 'node:util'
import { fillLimits } from '../../../../src/actors/acceptor/config.ts'
import { connectionChart } from '../../../../src/actors/connection/chart.ts'
import { createConnectionTimers } from '../../../../src/actors/connection/connection-timers.ts'
import {
  connectionHooks,
  drainConnection,
  expireConnection,
  openConnection,
  secureConnection,
} from '../../../../src/actors/connection/io.ts'
import { ConnectionPlane } from '../../../../src/actors/connection/plane.ts'
import type { Connection } from '../../../../src/actors/connection/record.ts'
import { createRandom } from '../../../../src/actors/runtime/clock.ts'
import { notCounted } from '../../../../src/actors/serving/connections.ts'
import type { FrameProtocol } from '../../../../src/actors/serving/protocol.ts'
import { createFaults } from '../../../../src/messages/option-faults.ts'
import { STOP } from '../../../../src/messages/wire/frame-decoder.ts'
import type { EventCall, LateAnswer } from '../../../../src/protocols/event/event-call.ts'
import { createEventProtocol } from '../../../../src/protocols/event/event-protocol.ts'
import { createTestRuntime } from '../../../actors/acceptor/test-runtime.ts'
import { ScriptedSocket } from '../../../actors/connection/scripted-socket.ts'
import { bodyOf, commandsFor, dialectFor } from './profile-protocol.ts'
import type { Profile } from './profiles.ts'
import { ReferenceConnection } from './reference-server.ts'
import type { Scenario } from './scenario.ts'
import { SteppedClock } from './stepped-clock.ts'

interface PutOff {
  readonly late: LateAnswer
  readonly body: Buffer
  abandoned: number
}

/** What streams have reached. */
export interface Reached {
  readonly states: Set<string>
  readonly statuses: Set<number>
}

const startMs = 1_700_000_000_000

/** The server of one profile. */
export class StreamShard {
  readonly #profile: Profile
  readonly #reached: Reached
  readonly #clock = new SteppedClock(startMs)
  readonly #runtime = createTestRuntime(this.#clock, 0, () => {})
  readonly #plane: ConnectionPlane
  #putOff: PutOff[] = []
  #heldBytes = 0
  #open = 0
  /** Of the frames whose header was judged: their sizes, the header's alone where nothing after it is looked at. */
  #judgedBytes = 0

  constructor(profile: Profile, reached: Reached) {
    this.#profile = profile
    this.#reached = reached
    const { log } = this.#runtime
    const limits = fillLimits(profile.limits, createFaults())
    this.#plane = new ConnectionPlane({
      protocol: this.#watched(this.#protocol()),
      limits,
      clock: this.#clock,
      log,
      chart: connectionChart(),
      timers: createConnectionTimers(this.#clock, (record, slot) => expireConnection(record as Connection, slot), {
        ticks: 64,
      }),
      hooks: connectionHooks,
      secure: profile.secure,
      ledger: {
        mayHold: () => !profile.reference.noMemory,
        held: changeBytes => {
          this.#heldBytes += changeBytes
        },
        countRequests() {},
        countRefusal() {},
        release: () => {
          this.#open--
        },
      },
    })
    let opened = 0
    this.#plane.reports = {
      get wantsMoves() {
        return opened % looksAtEach === 0
      },
      started() {
        opened++
      },
      moved: (_, from, to) => {
        for (const state of [from, to]) this.#reached.states.add(nameOf(state))
      },
      ended() {},
    }
  }

  /** Plays a scenario; throws what is wrong. */
  async play(scenario: Scenario): Promise<void> {
    const { reference: options, secure } = this.#profile
    const { refused, chunks, gapsMs, drainAt, reader, late, ending } = scenario
    const plain = new ScriptedSocket()
    const socket = secure ? new ScriptedSocket() : plain
    this.#putOff = []
    this.#judgedBytes = 0
    this.#open++
    const connection = openConnection(this.#plane, plain.asSocket, refused ? notCounted : 0)
    const reference = new ReferenceConnection({ ...options, refused }, this.#clock.now())
    if (secure) secureConnection(connection, socket.asSocket)

    for (const [index, chunk] of chunks.entries()) {
      const gapMs = gapsMs[index] ?? 0
      if (gapMs > 0) {
        await this.#rest(socket, reader)
        this.#pass(gapMs, reference, socket, reader)
      }
      if (index === drainAt) {
        // What came before is no concern of the drain, whether it is answered or not.
        if (connection.rest !== undefined) await this.#rest(socket, reader)
        drainConnection(connection)
        reference.drain()
      }
      if (socket.paused) await this.#rest(socket, reader)
      if (socket.paused || socket.destroyed) break
      socket.receive(chunk)
      reference.feed(chunk)
      checkKept(connection)
      if (reader === 'eager') socket.take()
      if (late === 'soon') await this.#settle()
    }
    await this.#rest(socket, reader)
    const isStuck = reader === 'gone' || socket.paused
    if (reader !== 'gone') {
      if (socket.paused) throw new Error('nothing is waited for, and it is not read')
      this.#check(scenario, connection, reference, socket)
    }

    if (ending === 'reset') socket.close()
    else if (ending === 'fin' && !isStuck) {
      if (!socket.destroyed) socket.receiveEnd()
      reference.fin()
      await this.#rest(socket, reader)
    } else {
      this.#pass(quietMs, reference, socket, reader)
      await this.#rest(socket, reader)
      this.#pass(quietMs, reference, socket, reader)
    }
    if (socket.destroyed) socket.close()
    this.#checkAnswers(reference, socket, isStuck || ending === 'reset')
    // Commands that fail are warned of.
    const broken = this.#runtime.lines.splice(0).find(({ level }) => level === 'error')
    if (broken !== undefined) throw new Error(`${broken.message}: ${inspect(broken.fields)}`)
    if (this.#plane.table.size !== 0) throw new Error('it is still there')
    if (this.#heldBytes !== 0) throw new Error(`${this.#heldBytes} bytes are still held`)
    if (this.#open !== 0) throw new Error(`${this.#open} connections are still counted`)
    for (const each of this.#putOff) {
      if (each.late.answer(each.body)) throw new Error('an answer to nobody was taken')
      if (each.abandoned !== 1) throw new Error(`a handler was told ${each.abandoned} times that nobody waits`)
    }
  }

  /** Lets time pass, for the server and for the reference. */
  #pass(ms: number, reference: ReferenceConnection, socket: ScriptedSocket, reader: Scenario['reader']): void {
    this.#clock.advance(ms, () => {
      if (reader !== 'gone') socket.take()
    })
    reference.wait(ms)
  }

  /** Lets everything happen that can without the peer or time. */
  async #rest(socket: ScriptedSocket, reader: Scenario['reader']): Promise<void> {
    do {
      await this.#settle()
      if (reader !== 'gone') socket.take()
    } while (this.#putOff.length > 0)
  }

  /** Answers what was put off, the latest first. */
  async #settle(): Promise<void> {
    if (this.#putOff.length === 0) return
    for (const { late, body, abandoned } of this.#putOff.splice(0).reverse()) {
      if (late.answer(body) === abandoned > 0) throw new Error('an answer that was put off was not taken')
    }
    await new Promise(resolve => setImmediate(resolve))
  }

  #check(scenario: Scenario, { partial }: Connection, reference: ReferenceConnection, socket: ScriptedSocket): void {
    const isEnded = socket.writableEnded || socket.destroyed
    if (isEnded !== reference.ended) throw new Error(isEnded ? 'it was ended' : 'it should have been ended')
    this.#checkAnswers(reference, socket, false)
    if (scenario.refused || isEnded) return
    const inFrame = partial === undefined ? 0 : partial.arrivedBytes
    const missing = partial === undefined || partial.stage === 'header' ? 0 : partial.needBytes
    const consumed = this.#judgedBytes - missing + inFrame
    if (consumed !== reference.consumedBytes) {
      throw new Error(`${consumed} bytes were consumed, not ${reference.consumedBytes}`)
    }
  }

  /** Compares what was taken with what must have been answered; with `isCut` the rest may be lost. */
  #checkAnswers({ answers }: ReferenceConnection, { taken }: ScriptedSocket, isCut: boolean): void {
    const bytes = Buffer.concat(taken)
    let at = 0
    for (const [index, answer] of answers.entries()) {
      if (isCut && at === bytes.length) return
      if (!bytes.subarray(at, at + answer.length).equals(answer)) {
        const found = bytes.toString('hex', at, at + 24)
        throw new Error(`answer ${index} is ${found || 'missing'}, not ${answer.toString('hex', 0, 24)}`)
      }
      this.#reached.statuses.add(answer[1]!)
      at += answer.length
    }
    if (at < bytes.length) throw new Error(`there is an answer more: ${bytes.toString('hex', at, at + 24)}`)
  }

  #protocol(): FrameProtocol {
    const { reference } = this.#profile
    const { raidaId, oneRequestPerConnection } = reference
    const environment = {
      clock: this.#clock,
      random: createRandom(1),
      log: this.#runtime.log,
      limits: fillLimits(this.#profile.limits, createFaults()),
      actor: this.#runtime,
    }
    const commands = commandsFor(call => this.#keep(call))
    return createEventProtocol({ raidaId, oneRequestPerConnection }, environment, commands, dialectFor(this.#profile))
  }

  #keep(call: EventCall): void {
    const body = bodyOf(call)
    const late = call.later({
      abandoned() {
        each.abandoned++
      },
    })
    const each: PutOff = { late, body, abandoned: 0 }
    this.#putOff.push(each)
  }

  /** Keeps account of the headers that were judged. */
  #watched(protocol: FrameProtocol): FrameProtocol {
    return {
      ...protocol,
      header: (link, bytes, at) => {
        const verdict = protocol.header(link, bytes, at)
        this.#judgedBytes += 16
        if (verdict !== STOP) this.#judgedBytes += verdict >= 0 ? verdict : -1 - verdict
        return verdict
      },
    }
  }
}

/** Of so many connections one is asked for its states, which takes longer than all else. */
const looksAtEach = 4

/** Longer than any wait. */
const quietMs = 80_000

/** What is kept of a body is bounded by what came of it. */
function checkKept({ partial }: Connection): void {
  if (partial === undefined || partial.bytes.length <= Math.max(512, 2 * partial.arrivedBytes)) return
  throw new Error(`${partial.bytes.length} bytes are kept of ${partial.arrivedBytes} that came`)
}

function nameOf(value: unknown): string {
  if (typeof value === 'string') return value
  const [[outer, inner] = ['']] = Object.entries(value as Record<string, unknown>)
  return inner === undefined ? outer : `${outer}.${nameOf(inner)}`
}
