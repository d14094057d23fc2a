/** How `starfish up` reads its options: each that is wrong is named, with its value and what is allowed. */
import t from 'tap'
import { parseUpOptions } from '../../src/cli/up-options.ts'
import { UsageError } from '../../src/cli/usage-error.ts'

t.test('what is given is taken, in any form; the rest has defaults', async t => {
  const defaults = { host: '127.0.0.1', port: 7400, logPort: 7401, data: './data', heart: true, help: false }
  t.same(parseUpOptions([]), defaults)
  t.same(parseUpOptions(['--port', '0', '--host=::1', '--log-port=9', '--data', '/d', '--shards', '3', '--no-heart']), {
    host: '::1',
    port: 0,
    logPort: 9,
    data: '/d',
    shards: 3,
    heart: false,
    help: false,
  })
  t.same(parseUpOptions(['--port=1', '--port', '65535', '-h', '--']), { ...defaults, port: 65_535, help: true })
})

t.test('what is wrong is named, with what may stand there', async t => {
  const shards = 'a whole number from 1 to 1024'
  const port = 'a whole number from 0 to 65535'
  const wrong: readonly [string[], string][] = [
    [['--shards', '0'], `--shards takes ${shards}, not "0"`],
    [['--shards', '1025'], `--shards takes ${shards}, not "1025"`],
    [['--shards', '-1'], `--shards takes ${shards}, not "-1"`],
    [['--shards=-1'], `--shards takes ${shards}, not "-1"`],
    [['--shards', 'x'], `--shards takes ${shards}, not "x"`],
    [['--shards', '1.5'], `--shards takes ${shards}, not "1.5"`],
    [['--port', '65536'], `--port takes ${port}, not "65536"`],
    [['--port='], `--port takes ${port}, not ""`],
    [['--port'], `--port needs a value: ${port}`],
    [['--port', '--shards', '2'], `--port needs a value: ${port}`],
    [['--log-port', '65536'], `--log-port takes ${port}, not "65536"`],
    [['--data='], '--data takes the path of a folder, not ""'],
    [['--host', ''], '--host takes an IP address or a host name, not ""'],
    [['--host', '[::1]'], '--host takes an IP address or a host name, not "[::1]"'],
    [['--no-heart=1'], '--no-heart takes no value, not "1"'],
    [['--prot', '1'], 'unknown option --prot (did you mean --port?)'],
    [['--sharsd=1'], 'unknown option --sharsd (did you mean --shards?)'],
    [['--hst', 'a'], 'unknown option --hst (did you mean --host?)'],
    [['--noheart'], 'unknown option --noheart (did you mean --no-heart?)'],
    [['--verbose'], 'unknown option --verbose'],
    [['--toString'], 'unknown option --toString'],
    [['-x'], 'unknown option -x'],
    [['now'], 'unexpected argument "now"'],
    [['--', '--port'], 'unexpected argument "--port"'],
  ]
  for (const [args, problem] of wrong) {
    const error = new UsageError('starfish up', problem)
    t.throws(() => parseUpOptions(args), error, args.join(' '))
    t.equal(error.message, `starfish up: ${problem}; see starfish up --help`)
  }
})
