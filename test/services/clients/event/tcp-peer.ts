/** A TCP peer of the event protocol that does by script what a server may do, and what it may not. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Test } from 'tap'
import {
  decodeEventRequest,
  type EventRequest,
  encodeEventResponse,
  eventCommand,
  eventStatus,
} from '../../../../src/messages/index.ts'

/** A request as the peer saw it. */
export interface Asked {
  readonly request: EventRequest
  readonly text: string
  readonly socket: Socket
  /** Answers it, now or later. */
  answer(status?: number, body?: Uint8Array): void
}

/** The peer. */
export interface TcpPeer {
  readonly port: number
  readonly server: Server
  /** Everything that came but greetings, oldest first. */
  readonly asked: readonly Asked[]
  /** Greetings that came: connections that a client tried. */
  readonly greetings: number
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>
}

/** What a peer does. */
export interface PeerScript {
  /** With everything but greetings; by default it is echoed. */
  readonly onRequest?: (asked: Asked, index: number) => void
  /** With greetings; by default they are answered. */
  readonly onGreeting?: (asked: Asked, index: number) => void
  readonly onSocket?: (socket: Socket, index: number) => void
  /** Listens on the port of a peer that is gone. */
  readonly port?: number
}

/** The bytes of an answer. */
export function answerTo(request: EventRequest, status: number, body: Uint8Array): Buffer {
  return encodeEventResponse({ status, command: request.command, sessionId: request.sessionId, body })
}

/** Echoes a request. */
export function echoBack({ request, answer }: Asked): void {
  answer(eventStatus.ok, request.body)
}

/** A peer that is gone when the test is over. */
export async function startTcpPeer(t: Test, script: PeerScript = {}): Promise<TcpPeer> {
  const { onRequest = echoBack, onSocket, port = 0 } = script
  const { onGreeting = asked => asked.answer(eventStatus.ok, Buffer.alloc(8)) } = script
  const asked: Asked[] = []
  const sockets = new Set<Socket>()
  let greetings = 0
  let accepted = 0
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    onSocket?.(socket, accepted++)
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 16 && rest.length >= 16 + rest.readUInt32BE(8)) {
        const end = 16 + rest.readUInt32BE(8)
        const one = read(socket, rest.subarray(0, end))
        rest = rest.subarray(end)
        if (one.request.command === eventCommand.ping) onGreeting(one, greetings++)
        else onRequest(one, asked.push(one) - 1)
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    port: (server.address() as AddressInfo).port,
    server,
    asked,
    get greetings() {
      return greetings
    },
    sockets,
  }
}

function read(socket: Socket, bytes: Buffer): Asked {
  const request = decodeEventRequest(Buffer.from(bytes))
  return {
    request,
    text: Buffer.from(request.body).toString(),
    socket,
    answer: (status = eventStatus.ok, body = new Uint8Array(0)) => void socket.write(answerTo(request, status, body)),
  }
}

/** Stops a peer, as a machine that goes away: nobody listens, connections are reset. */
export async function stopPeer({ server, sockets }: TcpPeer): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const socket of sockets) socket.resetAndDestroy()
  await closed
}
