/** stdout of a command: what was written is there, or the command says that it is not. */
import { fstatSync, writeSync } from 'node:fs'

/**
 * Writes all of it; true when it is written, false when whoever reads is gone, as head is when it has enough. Rejects with what
 * else went wrong, as on a disk that is full.
 */
export async function writeOut(lines: Buffer): Promise<boolean> {
  try {
    if (fstatSync(1).isFile()) writeToFile(lines)
    else await writeToStream(lines)
    return true
  } catch (error) {
    if (isOfGoneReader(error)) return false
    throw error
  }
}

/** `process.stdout` of a file does not look at how much of a chunk was written. */
function writeToFile(lines: Buffer): void {
  for (let at = 0; at < lines.length; ) at += writeSync(1, lines, at)
}

function writeToStream(lines: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(lines, error => (error ? reject(error) : resolve()))
  })
}

function isOfGoneReader(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED'
}
