import t from 'tap'
import { type Ended, runProgram } from '../fixtures/guard/run-program.ts'

/** What Node prints is told without stacks and the line of source above them, which tell of the program's own loading. */
async function run(where: 'system' | 'bare', what: string, flags: string[] = []): Promise<Ended> {
  const ended = await runProgram('program', [where, what], flags)
  return { ...ended, err: essence(ended.err) }
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
