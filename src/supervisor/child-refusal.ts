/** What is said to who wants to stop an actor that is not at the top: it is the business of whom it belongs to. */
import { badArgument } from '../messages/argument-check.ts'
import type { ActorSummary } from './kernel/actor-summary.ts'
import { isReserved } from './kernel/well-known.ts'

/**
 * What lives at an address that no top-level actor had: it may be one that came meanwhile, which `isListed` as such has.
 *
 * @throws StarfishError BAD_CONFIG, which names who can stop it, and how.
 */
export function checkNotChild({ address, kind, supervisor }: ActorSummary, isListed: boolean): void {
  if (isReserved(supervisor) && isListed) return
  throw badArgument('stopActor', 'target', `is ${address}, ${whose(address, kind, supervisor)}`)
}

function whose(address: string, kind: ActorSummary['kind'], supervisor: string): string {
  if (kind === 'hosted') return `which lives inside ${supervisor}: send it an event that ends it, or kill it`
  if (isReserved(supervisor)) return 'a child of a chart, which stops it by the action stop'
  const id = JSON.stringify(address.slice(supervisor.length + 1))
  return `a child of ${supervisor}: supervisor(${JSON.stringify(supervisor)}).terminateChild(${id}) stops it`
}
