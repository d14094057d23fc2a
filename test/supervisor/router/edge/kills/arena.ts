/** Kills one worker after another while two senders, this thread and a shard, keep its edges full. */
import { once } from 'node:events'
import { MessageChannel, Worker } from 'node:worker_threads'
import { createRandom } from '../../../../../src/actors/runtime/clock.ts'
import { createEdgeMemory } from '../../../../../src/supervisor/router/edge/edge-memory.ts'
import { wrongStatements } from './account.ts'
import { Ledger } from './ledger.ts'
import { loadLimits, runLoad, type Told } from './load.ts'
import type { Death, VictimData } from './victim.ts'

const deaths: readonly Death[] = ['terminate', 'exit', 'throw', 'spin', 'fence']

/** What came of a series of kills: the sums over all edges, and every statement that did not hold, with its round. */
export type Tally = Record<'sent' | 'handled' | 'inHand' | 'unprocessed' | 'lost' | 'refused' | 'asks', number> & {
  readonly kills: Readonly<Record<Death, number>>
  readonly wrong: readonly string[]
}

/** Turns of this thread's event loop in which a victim may do nothing: seconds, which no start of a worker takes. */
const idleTurnsMax = 1_000_000

interface Outcome {
  readonly told: Told
  readonly ledger: Ledger
  /** The load had come to a stand, and the victim was terminated for that. */
  readonly stands: boolean
}

/** Runs `kills` kills; the same seed gives the same loads and deaths. */
export async function runKills(kills: number, seed: number): Promise<Tally> {
  const random = createRandom(seed)
  const shard = new Worker(new URL('./shard.ts', import.meta.url))
  const sums = { sent: 0, handled: 0, inHand: 0, unprocessed: 0, lost: 0, refused: 0, asks: 0 }
  const byDeath: Record<Death, number> = { terminate: 0, exit: 0, throw: 0, spin: 0, fence: 0 }
  const wrong: string[] = []
  for (let kill = 0; kill < kills; kill++) {
    const death = deaths[kill % deaths.length]!
    for (const { told, ledger, stands } of await runKill(shard, death, random)) {
      const { asks, report } = told
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += { ...report, asks }[name]
      const statements = wrongStatements(told, ledger, death === 'fence')
      if (stands) statements.push('the load came to a stand')
      wrong.push(...statements.map(statement => `seed ${seed}, kill ${kill} by ${death}: ${statement}`))
    }
    byDeath[death]++
    if (wrong.some(statement => statement.endsWith('stand'))) break
  }
  await shard.terminate()
  return { ...sums, kills: byDeath, wrong }
}

async function runKill(shard: Worker, death: Death, random: () => number): Promise<readonly Outcome[]> {
  const seeds = [random(), random()].map(value => Math.floor(value * 2 ** 32))
  const deathEdge = random() < 0.5 ? 0 : 1
  const deathAfter = Math.floor(random() * 1_200)
  const pairs = seeds.map(seed => createPair(seed, death === 'fence'))
  const data: VictimData = { ends: pairs.map(({ victim }) => victim), death, deathAfter, deathEdge }
  const victim = new Worker(new URL('./victim.ts', import.meta.url), {
    workerData: data,
    transferList: data.ends.map(({ port }) => port),
  })
  victim.on('error', () => {})
  let gone = false
  const exit = new Promise<void>(resolve => {
    victim.on('exit', () => {
      gone = true
      resolve()
    })
  })
  const [mine, theirs] = pairs.map(({ sender }) => sender)
  shard.postMessage(theirs, [theirs!.port])
  const tellings = [runLoad(mine!), once(shard, 'message').then(([told]) => told as Told)]
  const ledgers = pairs.map(({ sender }) => new Ledger(sender.ledger))
  const stands = await watch(ledgers, death, () => gone)
  if (!gone) await victim.terminate()
  await exit
  const told = await Promise.all(tellings)
  return told.map((one, index) => ({ told: one, ledger: ledgers[index]!, stands }))
}

/** Waits until the victim is gone or is to be terminated; true when it has done nothing for too many turns. */
async function watch(ledgers: readonly Ledger[], death: Death, isGone: () => boolean): Promise<boolean> {
  const isMine = death === 'terminate' || death === 'spin'
  let former = -1
  for (let idle = 0; idle < idleTurnsMax; idle++) {
    if (isGone() || (isMine && ledgers[0]!.get('doomed') > 0)) return false
    const delivered = ledgers[0]!.get('delivered') + ledgers[1]!.get('delivered')
    if (delivered !== former) idle = 0
    former = delivered
    await new Promise(resolve => setImmediate(resolve))
  }
  return true
}

function createPair(seed: number, fence: boolean) {
  const { port1, port2 } = new MessageChannel()
  const there = createEdgeMemory(loadLimits.slots)
  const back = createEdgeMemory(loadLimits.slots)
  const ledger = new Ledger().memory
  return {
    sender: { port: port1, outbound: there, inbound: back, ledger, seed, fence },
    victim: { port: port2, outbound: back, inbound: there, ledger, seed, fence },
  }
}
