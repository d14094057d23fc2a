/** What the event client takes and gives, checked by tsc: an error that is expected and does not come is an error. */
import t from 'tap'
import { createEventClient, type EventAnswer, type EventClient, type EventClientOptions } from '../../src/index.ts'

/** True when the two are the very same type; `any` equals nothing but itself. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

function holds<T extends true>(_proof: T): void {}

/** Compiled, and refused there; it is not run. */
function never(_work: () => unknown): void {}

t.test('a client is told its servers, and the options of its transport', async t => {
  never(() => createEventClient({ port: 7_400 }))
  never(() => createEventClient({ servers: ['10.0.0.1:7400', { port: 7_400 }], tls: { ca: 'pem' } }))
  never(() => createEventClient({ port: 1, transport: 'udp', resend: { initialMs: 20 }, datagramBytesMax: 512 }))
  // @ts-expect-error no server
  never(() => createEventClient({}))
  // @ts-expect-error a server without a port
  never(() => createEventClient({ servers: [{ host: 'a' }] }))
  // @ts-expect-error no such transport
  never(() => createEventClient({ port: 1, transport: 'quic' }))
  // @ts-expect-error there is no TLS over UDP
  never(() => createEventClient({ port: 1, transport: 'udp', tls: {} }))
  // @ts-expect-error TCP repeats nothing
  never(() => createEventClient({ port: 1, resend: { initialMs: 20 } }))
  // @ts-expect-error a misspelt option
  never(() => createEventClient({ port: 1, pool: { inflightMax: 1 } }))
  // @ts-expect-error a number is no text
  never(() => createEventClient({ port: 1, timeoutMs: '5s' }))
  const options: EventClientOptions = { port: 7_400 }
  t.ok(options)
})

t.test('a request takes bytes or text, and its answer has a type', async t => {
  const proof = async (client: EventClient) => {
    const answer = await client.request(0x10, new Uint8Array(3), { timeoutMs: 10, idempotent: true, sessionId: 1 })
    holds<Same<typeof answer, EventAnswer>>(true)
    const body = await client.echo('text', { signal: AbortSignal.timeout(1) })
    holds<Same<typeof body, Buffer>>(true)
    const pong = await client.ping()
    holds<Same<typeof pong.serverTimeMs, number>>(true)
    // @ts-expect-error a command is a number
    never(() => client.request('echo'))
    // @ts-expect-error a body is no object
    never(() => client.request(0, { a: 1 }))
    // @ts-expect-error a misspelt option
    never(() => client.request(0, '', { timeout: 5 }))
    // @ts-expect-error an answer has no such field
    never(() => answer.text)
    await using closing = client
    return closing
  }
  t.type(proof, 'function')
})
