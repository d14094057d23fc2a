/** `starfish log topics`: what there is, one topic a line. */
import type { LogClient } from '../../services/log-client.ts'
import type { TopicsCall } from './log-options.ts'
import { writeOut } from './output.ts'

/** Settles with the exit code. */
export async function tellTopics(client: LogClient, call: TopicsCall): Promise<number> {
  if (call.delete !== undefined) await client.deleteTopic(call.delete)
  if (call.create !== undefined) await client.createTopic(call.create, call.partitions)
  for (const { name, partitions } of await client.listTopics()) {
    const ends = await Promise.all(
      partitions.map(async id => ({ id, highWaterMark: await client.getOffset(id, { timeoutMs: 15_000 }) })),
    )
    const told = ends.map(({ id, highWaterMark }) => `${id}: ${highWaterMark}`).join(', ')
    const line = call.json ? JSON.stringify({ name, partitions: ends }) : `${name} (${told})`
    if (!(await writeOut(Buffer.from(`${line}\n`)))) break
  }
  return 0
}
