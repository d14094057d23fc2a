/** A log client that was closed leaves neither socket nor timer: its process ends by itself. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { memoryLogEngine } from '../../src/index.ts'
import { serveLog } from './fixtures/served-log.ts'

const program = fileURLToPath(new URL('./fixtures/log-client-program.ts', import.meta.url))

t.test('after close nothing is left, however much was under way', async t => {
  const { port } = await serveLog(t, 0, { engine: memoryLogEngine.with(undefined) })
  const ended = await new Promise(resolve => {
    const child = execFile(process.execPath, [program, `${port}`], { timeout: 30_000 }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode, signal: child.signalCode, stdout, stderr }),
    )
  })
  t.same(ended, { code: 0, signal: null, stdout: '[]\n', stderr: '' })
})
