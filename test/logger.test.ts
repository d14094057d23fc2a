import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import t from 'tap'
import { needsScript } from './fixtures/terminal.ts'

const module = new URL('../src/logger.ts', import.meta.url).href

/** What a process writes to stdout that logs to it and is killed at once. */
function logged(options: object): string {
  const script = `
    import { createLogger } from ${JSON.stringify(module)}
    const log = createLogger(${JSON.stringify({ ...options, fd: 1 })})
    for (let line = 1; line <= 500; line++) log.info({ line }, 'works')
    log.debug('hidden')
    process.kill(process.pid, 'SIGKILL')`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }).stdout
}

t.test('writes JSON, and loses nothing when the process is killed at once', async t => {
  const lines = logged({ pretty: false }).trimEnd().split('\n')
  t.equal(lines.length, 500)
  t.match(JSON.parse(lines[499]!), { level: 30, line: 500, msg: 'works' })
})

t.test('writes for people on demand, and loses nothing either', async t => {
  const text = logged({ pretty: true })
  t.equal(text.match(/INFO.*works\n +line: \d+\n/g)!.length, 500)
  t.match(text, /line: 500\n$/)
})

t.test('a disk that is full does not end who logs', { skip: !existsSync('/dev/full') && 'no /dev/full' }, async t => {
  for (const pretty of [true, false]) {
    const script = `
      import { openSync } from 'node:fs'
      import { createLogger } from ${JSON.stringify(module)}
      const log = createLogger({ pretty: ${pretty}, fd: openSync('/dev/full', 'w') })
      for (let line = 1; line <= 20_000; line++) log.info('x'.repeat(100))
      console.log('goes on')`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    })
    t.same({ stdout, stderr }, { stdout: 'goes on\n', stderr: '' })
  }
})

t.test('the level holds', async t => {
  t.match(logged({ pretty: false, level: 'debug' }), /"msg":"hidden"/)
  t.equal(logged({ pretty: false, level: 'silent' }), '')
})

t.test('JSON is the default where stderr is no terminal', async t => {
  t.match(logged({}), /^\{"level":30/)
})

/** What a terminal is shown of a log, with these variables set and none of this process's that speak of colours. */
function shown(env: Readonly<Record<string, string>>): string {
  const script = `
    import { createLogger } from ${JSON.stringify(module)}
    createLogger().info("works")`
  const command = `"${process.execPath}" --input-type=module --eval '${script}'`
  const plain = { PATH: process.env.PATH, TERM: 'xterm' }
  return spawnSync('script', ['-qec', command, '/dev/null'], { encoding: 'utf8', env: { ...plain, ...env } }).stdout
}

t.test('a terminal is shown lines with colours, unless it has none or they are not wanted', needsScript, async t => {
  t.match(shown({}), '\x1b[32mINFO\x1b[39m: \x1b[36mworks')
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) {
    const text = shown(env)
    t.match(text, 'INFO: works')
    t.notMatch(text, '\x1b')
  }
})
