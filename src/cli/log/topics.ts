/** `starfish log topics`: what there is, one topic a line. */
import type { LogClient } from '../../services/log-client.ts'
import { commandOf, type TopicsCall } from './log-options.ts'
import { writeOut } from './output.ts'
import { connectionTrouble, tellTrouble } from './trouble.ts'

/** Settles with the exit code. */
export async function tellTopics(client: LogClient, call: TopicsCall): Promise<number> {
  const endTrouble = tellTrouble(commandOf('topics'), () => connectionTrouble(client.stats()))
  try {
    return await doAndList(client, call)
  } finally {
    endTrouble()
  }
}

async function doAndList(client: LogClient, call: TopicsCall): Promise<number> {
  if (call.delete !== undefined) await client.deleteTopic(call.delete)
  if (call.create !== undefined) await client.createTopic(call.create, call.partitions)
  const topics = await client.listTopics()
  if (topics.length === 0) process.stderr.write(`${commandOf('topics')}: there are no topics\n`)
  for (const { name, partitions } of topics) {
    const ends = await Promise.all(
      partitions.map(async id => ({ id, highWaterMark: await client.getOffset(id, { timeoutMs: 15_000 }) })),
    )
    const told = ends.map(({ id, highWaterMark }) => `${id}: ${highWaterMark}`).join(', ')
    const line = call.json ? JSON.stringify({ name, partitions: ends }) : `${inOneLine(name)} (${told})`
    if (!(await writeOut(Buffer.from(`${line}\n`)))) break
  }
  return 0
}

/** A name with what is no character of a line as JSON writes it. */
export function inOneLine(name: string): string {
  return name.replaceAll(/[\p{Cc}\u2028\u2029]/gu, sign => {
    return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
