/** How much of a chain is stored. */
import type { AppendChain } from './append-chain.ts'
import type { Streams } from './streams.ts'

/**
 * Messages of a chain that are in its stream, which ends at `lastSequence`: so many from its first on. Looks at one message for
 * what is usual, none or all of them, and at a few more otherwise.
 */
export async function storedOf(
  chain: AppendChain,
  lastSequence: number,
  streams: Streams,
  stream: string,
): Promise<number> {
  const isThere = async (count: number): Promise<boolean> => {
    const message = await streams.message(stream, chain.startSequence + count)
    return message?.header?.get('Nats-Msg-Id') === chain.idOf(count - 1)
  }
  let most = Math.min(chain.length, lastSequence - chain.startSequence)
  if (most <= 0 || !(await isThere(1))) return 0
  let least = 1
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (await isThere(middle)) least = middle
    else most = middle - 1
  }
  return least
}
