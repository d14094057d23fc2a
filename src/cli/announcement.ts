/** What `starfish up` says when it serves. */
import { styleText } from 'node:util'
import type { RunningNode } from '../running-node.ts'

/** The processes of a node: itself and, unless it runs bare, its parent. */
export interface NodeProcesses {
  readonly pid: number
  readonly parentPid: number | undefined
}

/** What listens where, where the log is stored, on how many threads, in which process, and how to stop it; styled where stdout shows styles. */
export function announce(node: RunningNode, version: string, { pid, parentPid }: NodeProcesses): string {
  const rows = [
    ...node.listening.map(({ name, address, accept }) => [name, address, accept] as const),
    ['stored in', node.logFile, 'the message log; --data is its folder'] as const,
    ['shards', String(node.shards), 'worker threads that serve'] as const,
    [
      'process',
      String(pid),
      parentPid === undefined
        ? 'bare: nothing brings it back'
        : `brought back by its parent, ${parentPid}, if it dies or hangs`,
    ] as const,
    [
      'to stop',
      `Ctrl-C or kill ${parentPid ?? pid}`,
      'answers what has been received; Ctrl-C twice ends at once',
    ] as const,
  ]
  const nameWidth = Math.max(...rows.map(([name]) => name.length))
  const valueWidth = Math.max(...rows.map(([, value]) => value.length))
  const lines = rows.map(
    ([name, value, note]) =>
      `  ${name.padEnd(nameWidth)}  ${styleText('bold', value.padEnd(valueWidth))}  ${styleText('dim', note)}\n`,
  )
  return `${styleText('green', `starfish ${version} is up`)}\n${lines.join('')}`
}
