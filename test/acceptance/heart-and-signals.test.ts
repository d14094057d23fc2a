/** A real node under its parent, as `npm start` runs it: what a kill -9 and signals do to it and to its clients. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { encodeEventRequest, eventStatus } from '../../src/messages/index.ts'
import { connectClient } from '../actors/acceptor/event-client.ts'
import { withoutNpm } from '../fixtures/heart/command.ts'
import { newFolder } from '../protocols/message-log/sqlite-world.ts'

const bin = fileURLToPath(new URL('../../src/bin.js', import.meta.url))

interface Node {
  readonly command: ChildProcess
  readonly port: number
  /** Settles with the process that serves, each time one begins to. */
  serving(): Promise<number>
  /** Settles when stderr has held these words. */
  said(words: string): Promise<void>
  readonly exit: Promise<unknown[]>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function startNode(t: Test, ...args: readonly string[]): Promise<Node> {
  const port = await freePort()
  const own = ['--port', String(port), '--log-port', '0', '--data', newFolder(t)]
  const command = spawn(process.execPath, [bin, 'up', ...own, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: withoutNpm(process.env),
  })
  t.teardown(() => command.kill('SIGKILL'))
  const exit = once(command, 'exit')
  let told = ''
  let complained = ''
  let seen = 0
  const looks = new Set<() => void>()
  command.stdout.setEncoding('utf8').on('data', (part: string) => {
    told += part
    for (const look of looks) look()
  })
  command.stderr.setEncoding('utf8').on('data', (part: string) => {
    complained += part
    for (const look of looks) look()
  })
  function when<T>(look: () => T | undefined): Promise<T> {
    return new Promise(resolve => {
      const each = (): void => {
        const value = look()
        if (value === undefined) return
        looks.delete(each)
        resolve(value)
      }
      looks.add(each)
      each()
    })
  }
  return {
    command,
    port,
    exit,
    serving: () =>
      when(() => {
        const lines = [...told.matchAll(/\(TCP\) +\S+:(\d+) .*\n(?: .*\n)*? +shards +2 .*\n +process +(\d+) /g)]
        const line = lines[seen]
        if (line === undefined) return undefined
        seen++
        t.equal(Number(line[1]), port)
        return Number(line[2])
      }),
    said: words => when(() => (complained.includes(words) ? true : undefined)).then(() => {}),
  }
}

/** Echoes go out and come back. */
async function checkServes(t: Test, port: number): Promise<void> {
  const client = await connectClient(port)
  client.write(encodeEventRequest({ sessionId: 7, body: Buffer.from('hello') }))
  t.match(await client.response(), { status: eventStatus.ok, sessionId: 7, body: Buffer.from('hello') })
  client.socket.destroy()
}

t.test('kill -9 of the node brings it back, and it serves again on its port', async t => {
  const node = await startNode(t)
  const pids = new Set<number>()
  for (let round = 0; round < 3; round++) {
    const pid = await node.serving()
    pids.add(pid)
    await checkServes(t, node.port)
    process.kill(pid, 'SIGKILL')
  }
  await node.serving()
  await checkServes(t, node.port)
  t.equal(pids.size, 3)
  t.notOk(pids.has(node.command.pid!), 'the parent is another process')
  node.command.kill('SIGTERM')
  t.same(await node.exit, [0, null])
})

t.test('a command whose readers are gone serves on, comes back and ends as ever', async t => {
  const node = await startNode(t)
  const pid = await node.serving()
  node.command.stdout!.destroy()
  node.command.stderr!.destroy()
  await checkServes(t, node.port)
  process.kill(pid, 'SIGKILL')
  for (;;) {
    const client = await connectClient(node.port)
    client.write(encodeEventRequest({}))
    const isServed = await client.response().then(
      () => true,
      () => false,
    )
    client.socket.destroy()
    if (isServed) break
  }
  node.command.kill('SIGTERM')
  t.same(await node.exit, [0, null])
})

for (const args of [[], ['--no-heart']]) {
  const name = `starfish up ${args}`.trim()

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    t.test(`${name}: ${signal} ends it with code 0 once every whole request is served`, async t => {
      const node = await startNode(t, ...args)
      await node.serving()
      const clients = await Promise.all(Array.from({ length: 8 }, () => connectClient(node.port)))
      for (const client of clients) {
        client.write(encodeEventRequest({}))
        await client.response()
      }
      const count = 200
      const cut = encodeEventRequest({ body: Buffer.alloc(100) }).subarray(0, 10)
      const requests = Array.from({ length: count }, (_, sessionId) => encodeEventRequest({ sessionId }))
      for (const client of clients) client.write(...requests, cut)
      node.command.kill(signal)
      for (const client of clients) {
        const answers = await Promise.all(requests.map(() => client.response()))
        t.ok(answers.every(({ status, sessionId }, index) => status === eventStatus.ok && sessionId === index))
        t.match(await client.response(), { status: eventStatus.overloaded, sessionId: 0 }, 'the last word')
        t.equal((await client.ended()).length, 0, 'a cut header gets no answer')
        client.socket.end()
      }
      t.same(await node.exit, [0, null])
    })
  }

  t.test(`${name}: a client that never reads does not keep it from ending cleanly`, async t => {
    const node = await startNode(t, ...args)
    await node.serving()
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectClient(node.port)))
    for (const client of clients) {
      client.socket.pause()
      client.write(...Array.from({ length: 500 }, () => encodeEventRequest({ body: Buffer.alloc(65_536) })))
    }
    node.command.kill('SIGTERM')
    // Not in time is another code: it is killed then.
    t.same(await node.exit, [0, null])
    for (const client of clients) client.socket.destroy()
  })

  t.test(`${name}: a second SIGINT ends it at once`, async t => {
    const node = await startNode(t, ...args)
    const pid = await node.serving()
    // Keeps the node from ending: it sends without a pause.
    const client = await connectClient(node.port)
    const sending = setInterval(() => client.write(encodeEventRequest({})), 10)
    t.teardown(() => clearInterval(sending))
    node.command.kill('SIGINT')
    await node.said('the node stops')
    node.command.kill('SIGINT')
    // As a shell tells it, 130.
    t.same(await node.exit, args.length === 0 ? [130, null] : [null, 'SIGINT'])
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' }, 'nothing is left behind')
  })
}
