/**
 * A UDP peer of the event protocol that does by script what a server may do, and what it may not: it answers, asks for
 * cookies, loses datagrams, answers twice, late or wrongly.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Test } from 'tap'
import { EVENT_COOKIE_BYTES, EVENT_COOKIE_FLAG } from '../../../../src/messages/event/cookie.ts'
import {
  decodeEventRequest,
  type EventRequest,
  encodeEventResponse,
  eventCommand,
  eventStatus,
} from '../../../../src/messages/index.ts'

/** A request as the peer saw it. */
export interface Seen {
  readonly request: EventRequest
  /** The cookie it brought, as text. */
  readonly cookie: string | undefined
  /** The body without the cookie. */
  readonly body: Buffer
  readonly from: RemoteInfo
  /** Answers it, now or later. */
  answer(status?: number, body?: Uint8Array): void
  /** Sends any bytes to who sent it. */
  send(bytes: Uint8Array): void
}

/** The peer. */
export interface UdpPeer {
  readonly port: number
  readonly socket: Socket
  /** Everything that came but greetings, oldest first. */
  readonly seen: readonly Seen[]
  /** Greetings and pings that came. */
  readonly pings: number
}

/** A peer that answers pings and has `handle` see to the rest; gone when the test is over. */
export async function startUdpPeer(t: Test, handle: (seen: Seen, index: number) => void): Promise<UdpPeer> {
  const socket = createSocket('udp4')
  const all: Seen[] = []
  let pings = 0
  socket.on('message', (bytes, from) => {
    const seen = read(socket, bytes, from)
    if (seen.request.command === eventCommand.ping) {
      pings++
      seen.answer(eventStatus.ok, Buffer.alloc(8))
    } else handle(seen, all.push(seen) - 1)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => {
    try {
      socket.close()
    } catch {
      // The test has closed it.
    }
  })
  return {
    port: socket.address().port,
    socket,
    seen: all,
    get pings() {
      return pings
    },
  }
}

function read(socket: Socket, bytes: Buffer, from: RemoteInfo): Seen {
  const request = decodeEventRequest(bytes)
  const hasCookie = (request.reserved & EVENT_COOKIE_FLAG) !== 0
  const bodyStart = hasCookie ? EVENT_COOKIE_BYTES : 0
  const send = (answer: Uint8Array) => socket.send(answer, from.port, from.address)
  return {
    request,
    cookie: hasCookie ? Buffer.from(request.body.subarray(0, EVENT_COOKIE_BYTES)).toString() : undefined,
    body: Buffer.from(request.body.subarray(bodyStart)),
    from,
    send,
    answer(status = eventStatus.ok, body = new Uint8Array(0)) {
      send(encodeEventResponse({ status, command: request.command, sessionId: request.sessionId, body }))
    },
  }
}
