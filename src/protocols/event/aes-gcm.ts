/**
 * Bodies that are authenticated and encrypted with AES-256-GCM, with a key for each session, behind headers in the clear.
 *
 * ```
 * body as it travels    nonce 12 | ciphertext | tag 16
 * additional data       direction u8, 0 request, 1 answer | header, as it travels
 * ```
 * A header that was changed on its way spoils the tag, as a changed body does; so does a request that comes back as an answer,
 * or an answer that is sent as a request. An answer that is not ok has no body, and so nothing that proves where it comes
 * from. Nothing is remembered of nonces: who must not be told the same thing twice puts a counter into the bodies.
 *
 * @see NIST SP 800-38D; a key is good for 2^32 answers with random nonces
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomFillSync } from 'node:crypto'
import { createFaults, type Faults, show } from '../../messages/option-faults.ts'
import { defineEventProtocol, type EventDialect } from './dialect.ts'
import { dialectV1 } from './dialect-v1.ts'
import { eventFailure } from './event-failure.ts'

/** Options of {@link aesGcmProtocol}. */
export interface AesGcmOptions {
  /** The key of each session: 32 bytes, as they are or as 64 hexadecimal digits. A session without one is answered `decryptFailed`. */
  readonly keys: Readonly<Record<number, Uint8Array | string>>
}

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

/** Whither a body travels, in the first byte of the additional data. */
const direction = { request: 0, answer: 1 } as const

/**
 * The two halves of a dialect that open bodies and seal them, for headers of these sizes:
 * `{ ...myHeaders, ...aesGcmBodies(myHeaders, options) }`. `BAD_CONFIG` for a key that is none.
 */
export function aesGcmBodies(
  { headerBytes, replyHeaderBytes }: Pick<EventDialect, 'headerBytes' | 'replyHeaderBytes'>,
  options: AesGcmOptions,
): Required<Pick<EventDialect, 'validateDecryptBody' | 'seal'>> {
  const keys = keysOf(options)
  const ofRequest = Buffer.alloc(1 + headerBytes, direction.request)
  const ofAnswer = Buffer.alloc(1 + replyHeaderBytes, direction.answer)

  function keyOf(sessionId: number): KeyObject {
    const key = keys.get(sessionId)
    if (key === undefined) throw eventFailure('decryptFailed', `session ${sessionId} has no key`)
    return key
  }

  return {
    validateDecryptBody(frame, sessionId) {
      const key = keyOf(sessionId)
      const tagAt = frame.length - tagBytes
      const textAt = headerBytes + nonceBytes
      if (tagAt < textAt) throw eventFailure('decryptFailed', 'a sealed body has at least 28 bytes')
      const options = { authTagLength: tagBytes }
      const decipher = createDecipheriv(algorithm, key, frame.subarray(headerBytes, textAt), options)
      ofRequest.set(frame.subarray(0, headerBytes), 1)
      decipher.setAAD(ofRequest)
      decipher.setAuthTag(frame.subarray(tagAt))
      const body = decipher.update(frame.subarray(textAt, tagAt))
      decipher.final()
      return body
    },
    seal: {
      sealedBytes: bodyBytes => nonceBytes + bodyBytes + tagBytes,
      sealBody(frame, body, sessionId) {
        const key = keyOf(sessionId)
        const textAt = replyHeaderBytes + nonceBytes
        const nonce = randomFillSync(frame.subarray(replyHeaderBytes, textAt))
        const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
        ofAnswer.set(frame.subarray(0, replyHeaderBytes), 1)
        cipher.setAAD(ofAnswer)
        frame.set(cipher.update(body), textAt)
        cipher.final()
        frame.set(cipher.getAuthTag(), textAt + body.length)
      },
    },
  }
}

/**
 * The event protocol of version 1 with sealed bodies.
 *
 * @example createEventServer(system, { port: 7400, protocol: aesGcmProtocol.with({ keys: { 7: key } }) })
 */
export const aesGcmProtocol = defineEventProtocol(import.meta.url, 'aesGcmProtocol', (options: AesGcmOptions) => ({
  ...dialectV1,
  ...aesGcmBodies(dialectV1, options),
}))

function keysOf(options: AesGcmOptions): ReadonlyMap<number, KeyObject> {
  const faults = createFaults()
  const found = new Map<number, KeyObject>()
  if (faults.options('', options, ['keys'])) {
    const { keys } = options
    if (typeof keys !== 'object' || keys === null) faults.add('keys', `is ${show(keys)}, not the key of each session`)
    else for (const [session, key] of Object.entries(keys)) readKey(session, key, found, faults.within('keys'))
  }
  faults.throwIfAny('BAD_CONFIG', 'aesGcmProtocol')
  return found
}

function readKey(session: string, key: unknown, found: Map<number, KeyObject>, faults: Faults): void {
  const isHex = typeof key === 'string' && key.length === 2 * keyBytes
  const bytes = isHex ? Buffer.from(key, 'hex') : key
  if (!Number.isSafeInteger(Number(session)) || Number(session) < 0)
    faults.add(session, 'is not the number of a session')
  else if (bytes instanceof Uint8Array && bytes.length === keyBytes) found.set(Number(session), createSecretKey(bytes))
  else faults.add(session, 'is not a key of 32 bytes, nor of 64 hexadecimal digits')
}
