/** What a client does to the bodies of `aesGcmBodies`, with the crypto of Node alone. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

/** A body as it travels behind the header of its request. */
export function sealBody(header: Uint8Array, text: string, key: Uint8Array): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.concat([Buffer.of(0), header]))
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

/** What an answer says, if its tag fits it. */
export function openBody(header: Uint8Array, body: Buffer, key: Uint8Array): string {
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, 12))
  decipher.setAAD(Buffer.concat([Buffer.of(1), header]))
  decipher.setAuthTag(body.subarray(-16))
  return Buffer.concat([decipher.update(body.subarray(12, -16)), decipher.final()]).toString()
}
