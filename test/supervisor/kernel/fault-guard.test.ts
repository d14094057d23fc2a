import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const program = fileURLToPath(new URL('../fixtures/guard/program.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly out: string
  /** What Node prints, without stacks and the line of source above them: they tell of the program's own loading. */
  readonly err: string
}

function run(where: 'system' | 'bare', what: string, flags: string[] = []): Promise<Ended> {
  const child = spawn(process.execPath, [...flags, program, where, what], { env: { ...process.env, NODE_OPTIONS: '' } })
  let out = ''
  let err = ''
  child.stdout.on('data', data => {
    out += data
  })
  child.stderr.on('data', data => {
    err += data
  })
  return new Promise(resolve => {
    child.on('close', code => resolve({ code, out, err: essence(err) }))
  })
}

function essence(err: string): string {
  return err
    .replace(/\(node:\d+\)/g, '(node)')
    .replace(/^(file|node):[^\n]*\n[^\n]*\n *\^\n/m, '')
    .split('\n')
    .filter(line => !/^ +at /.test(line))
    .join('\n')
}

const flags = [
  [],
  ['--unhandled-rejections=warn'],
  ['--unhandled-rejections=none'],
  ['--unhandled-rejections=strict'],
  ['--unhandled-rejections=warn-with-error-codes'],
]

const runs = [
  ...['throw', 'reject', 'rejectText', 'rejectHandledByException', 'bothHandled', 'stopped'].map(what => ({
    what,
    flags: [] as string[],
  })),
  ...flags.slice(1).map(flag => ({ what: 'reject', flags: flag })),
]

t.jobs = 2
for (const { what, flags } of runs) {
  t.test(`an error of the program is as without a system: ${what} ${flags.join()}`, async t => {
    const [beside, bare] = await Promise.all([run('system', what, flags), run('bare', what, flags)])
    t.equal(beside.code, bare.code, 'exit code')
    t.equal(beside.out, bare.out, 'output')
    t.equal(beside.err, bare.err, 'what Node prints')
  })
}

t.test(
  'errors of actors cost the actors, before and after one of the program, whose listeners fail as its own',
  async t => {
    const { code, out, err } = await run('system', 'actors')
    t.same(out.trim().split('\n'), ['unhandledRejection', 'threw', 'exception of the program', 'unhandledRejection'])
    t.equal(code, 1)
    t.match(err, /Error: a listener of the program/)
  },
)
