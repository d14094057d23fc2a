import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { readThreadTime } from '../../../src/supervisor/shard/thread-time.ts'

const skip = process.platform !== 'linux' && 'Linux only'

t.test('tells of a thread of this process that runs', { skip }, async t => {
  const before = readThreadTime(process.pid)!
  t.equal(before.now, 'runnable')
  while (readThreadTime(process.pid)!.cpuMs < before.cpuMs + 5);
  t.ok(readThreadTime(process.pid)!.waitMs >= before.waitMs)
})

t.test('tells of a thread of another process that sleeps', { skip }, async t => {
  // A name with a parenthesis and a space, which the system writes as it is beside the state.
  const code = "process.title = 'a) R'; process.stdin.on('end', () => {}).resume(); console.log('up')"
  const child = spawn(process.execPath, ['--eval', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  while (readThreadTime(child.pid!, child.pid)!.now !== 'sleeping');
  t.ok(readThreadTime(child.pid!, child.pid)!.cpuMs > 0)
  child.stdin.end()
  await once(child, 'exit')
  t.equal(readThreadTime(child.pid!, child.pid), undefined)
})

t.test('knows nothing of a thread without an id, or that is not there', async t => {
  t.equal(readThreadTime(0), undefined)
  t.equal(readThreadTime(2 ** 30), undefined)
})
