/** The sessions of requests that bring none of their own. */
import type { Random } from '../../../actors/runtime/clock.ts'

/** A u32 that nobody can guess who does not see the traffic. */
export function drawSessionId(random: Random): number {
  return Math.floor(random() * 2 ** 32)
}

/** In turn over TCP, where order tells answers apart; by chance over UDP, where nothing else does. */
export function sessionIds(transport: 'tcp' | 'udp', random: Random): () => number {
  if (transport === 'udp') return () => drawSessionId(random)
  let last = drawSessionId(random)
  return () => {
    last = (last + 1) >>> 0
    return last
  }
}
