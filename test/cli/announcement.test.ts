import { stripVTControlCharacters } from 'node:util'
import t from 'tap'
import { announce } from '../../src/cli/announcement.ts'
import type { RunningNode } from '../../src/running-node.ts'

const node: RunningNode = {
  listening: [
    { name: 'events (TCP)', address: '127.0.0.1:7400', accept: 'every shard accepts' },
    { name: 'events (UDP)', address: '127.0.0.1:7400', accept: 'every shard has a socket' },
    { name: 'log', address: '[::1]:1', accept: 'the main thread accepts' },
  ],
  logFile: '/srv/log.db',
  shards: 2,
  hints: [],
  failed: new Promise(() => {}),
  stop: async () => {},
}

t.test(
  'what listens where, where the log is, on how many threads, in which process, and how it is stopped',
  async t => {
    t.equal(
      stripVTControlCharacters(announce(node, '1.2.3', { pid: 12, parentPid: 11 })),
      `starfish 1.2.3 is up
  events (TCP)  127.0.0.1:7400     every shard accepts
  events (UDP)  127.0.0.1:7400     every shard has a socket
  log           [::1]:1            the main thread accepts
  stored in     /srv/log.db        the message log; --data is its folder
  shards        2                  worker threads that serve
  process       12                 brought back by its parent, 11, if it dies or hangs
  to stop       Ctrl-C or kill 11  answers what has been received; Ctrl-C twice ends at once
`,
    )
    const bare = stripVTControlCharacters(announce(node, '1.2.3', { pid: 12, parentPid: undefined }))
    t.match(bare, /process +12 +bare: nothing brings it back\n +to stop +Ctrl-C or kill 12 /)
  },
)
