/** Requests as datagrams, the commands that tests ask for, and what answers say. */

import { eventFailure } from '../../../src/index.ts'
import { decodeEventResponse, type EventRequest, encodeEventRequest } from '../../../src/messages/index.ts'

/** Of every answer that is ok. */
export const ok = { version: 1, reserved: 0, status: 0 }

/** Bytes that say `hi` to command 0, with changes. */
export function request(fields: Partial<EventRequest> = {}): Buffer {
  return encodeEventRequest({ sessionId: 7, body: Buffer.from('hi'), ...fields })
}

/** A request that brings a cookie. */
export function bringing(
  cookie: Uint8Array,
  { body = Buffer.from('hi'), ...fields }: Partial<EventRequest> = {},
): Buffer {
  return request({ ...fields, reserved: 1, body: Buffer.concat([cookie, body]) })
}

/** `bytes` with another length in the header. */
export function declaring(bodyBytes: number, bytes: Buffer): Buffer {
  bytes.writeUInt32BE(bodyBytes, 8)
  return bytes
}

/** What an answer says. */
export function read(bytes: Buffer) {
  return { version: bytes[0], reserved: bytes.readUInt32BE(12), ...decodeEventResponse(bytes) }
}

/** Numbers of the commands. */
export const bytesNow = 0x10
export const bytesSoon = 0x11
export const held = 0x12
export const fails = 0x13
export const where = 0x14

function size(body: Uint8Array): number {
  return Buffer.from(body).readUInt32BE()
}

/** The body that asks for an answer of so many bytes. */
export function sized(bytes: number): Buffer {
  const body = Buffer.alloc(4)
  body.writeUInt32BE(bytes)
  return body
}

/** Commands that answer as many bytes as they are asked for, now or later, when they are told to, by failing, or whom they see. */
export function commands() {
  const waiting: { readonly release: (body: string) => void; readonly signal: AbortSignal }[] = []
  const table = {
    [bytesNow]: { handle: ({ body }: { body: Uint8Array }) => new Uint8Array(size(body)) },
    [bytesSoon]: { handle: async ({ body }: { body: Uint8Array }) => new Uint8Array(size(body)) },
    [held]: {
      handle: (_request: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise<string>(resolve => waiting.push({ release: resolve, signal })),
    },
    [fails]: {
      handle: ({ body }: { body: Uint8Array }) => {
        if (body.length > 0) throw eventFailure('timeout')
        throw new Error('broken')
      },
    },
    [where]: {
      handle: ({ body, ...request }: { body: Uint8Array; peerAddress: string; transport: string; raidaId: number }) =>
        `${request.transport} ${request.peerAddress} ${request.raidaId} ${Buffer.from(body)}`,
    },
  }
  return { table, waiting }
}
