/** The servers that streams are tried on: each differs from the next in what a stream can make it do. */
import type { ServerLimits } from '../../../../src/messages/limits.ts'
import type { ReferenceOptions } from './reference-server.ts'

/** The commands of these servers besides echo and ping. */
export const command = { echo: 0, ping: 1, late: 2, broken: 3, silent: 4 } as const

/** One server. */
export interface Profile {
  readonly name: string
  readonly reference: ReferenceOptions
  readonly limits: Partial<ServerLimits>
  readonly secure: boolean
}

const reference: ReferenceOptions = {
  raidaId: 0,
  bodyBytesMax: 65_536,
  oneRequestPerConnection: false,
  refused: false,
  noMemory: false,
  sealedBy: undefined,
  echoing: [command.echo, command.late],
  failing: [command.broken, command.silent],
}

function profile(name: string, differs: Partial<ReferenceOptions> = {}, limits: Partial<ServerLimits> = {}): Profile {
  const merged = { ...reference, ...differs }
  return { name, reference: merged, limits: { bodyBytesMax: merged.bodyBytesMax, ...limits }, secure: false }
}

/** All of them. */
export const profiles: readonly Profile[] = [
  profile('plain'),
  profile('numbered, small bodies', { raidaId: 7, bodyBytesMax: 300 }),
  profile('one request a connection', { oneRequestPerConnection: true }),
  profile('sealed bodies', { sealedBy: 0xee }),
  profile('no memory', { noMemory: true }),
  profile('tight', {}, { inFlightRequestsMax: 2, outputHighWaterBytes: 200 }),
  { ...profile('TLS', {}, { inFlightRequestsMax: 2 }), secure: true },
]
