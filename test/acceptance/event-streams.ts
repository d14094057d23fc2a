/**
 * Tries random streams of bytes on connections of the event protocol, without sockets, against the reference:
 * `node test/acceptance/event-streams.ts [thousands] [seed]`, by default the same hundred thousand each time. Says what they reached; the first difference ends it with code 1.
 */
import { StreamTrials } from '../protocols/event/streams/try-streams.ts'

const thousands = Number(process.argv[2] ?? 100)
const seed = Number(process.argv[3] ?? 20_261_121)
const trials = new StreamTrials()
console.log(`${thousands},000 streams, seed ${seed}`)
const beganAtMs = performance.now()
for (let done = 0; done < thousands; done++) {
  await trials.playStructured(seed + done, 100)
  await trials.playMutants(seed + done * 900, 900)
}
console.log(
  JSON.stringify({ states: [...trials.reached.states].sort(), statuses: [...trials.reached.statuses].sort() }),
)
console.log(`all as the reference has it, in ${((performance.now() - beganAtMs) / 1_000).toFixed(1)} s`)
