/** The options of the JetStream engine. */
import { createFaults, show } from '../../../../messages/option-faults.ts'

/** What the JetStream engine has to be told. */
export interface JetstreamLogOptions {
  /** Where NATS listens: `127.0.0.1:4222`, or several of one cluster. TLS is spoken where they ask for it. */
  readonly servers: string | readonly string[]
  /** What the streams and subjects of this log begin with: letters, digits, `-` and `_`. Left out: `starfish`. */
  readonly store?: string | undefined
  /** Servers of the cluster that keep each message: 1, 3 or 5. Left out: 1. What was created with another number keeps it. */
  readonly replicas?: number | undefined
  /** For a server that asks for a user and a password. */
  readonly user?: string | undefined
  readonly pass?: string | undefined
  /** For a server that asks for a token. */
  readonly token?: string | undefined
  /** How long JetStream may take to answer, and to be reached when the engine opens, ms. Left out: 5,000. */
  readonly requestTimeoutMs?: number | undefined
}

/** The options with nothing left open. */
export interface JetstreamLogConfig {
  readonly servers: readonly string[]
  readonly store: string
  readonly replicas: number
  readonly credentials: { readonly user?: string; readonly pass?: string; readonly token?: string }
  readonly requestTimeoutMs: number
}

const known = ['servers', 'store', 'replicas', 'user', 'pass', 'token', 'requestTimeoutMs']
/** An even number outlives no more failures than the odd one below it. */
const replicaNumbers: readonly unknown[] = [1, 3, 5]
const timeoutMsMin = 100
const timeoutMsMax = 60_000

/** @throws `BAD_CONFIG` that names what cannot be. */
export function resolveJetstreamLogConfig(options: JetstreamLogOptions): JetstreamLogConfig {
  const faults = createFaults()
  if (faults.options('', options, known)) {
    const servers: unknown[] = typeof options.servers === 'string' ? [options.servers] : serverList(options.servers)
    if (servers.length === 0) faults.add('servers', 'is not an address or a list of addresses')
    for (const server of servers) faults.name('servers', server)
    if (options.store !== undefined && !/^[\w-]{1,64}$/.test(options.store))
      faults.add('store', 'is not 1 to 64 letters, digits, - and _')
    if (options.replicas !== undefined && !replicaNumbers.includes(options.replicas))
      faults.add('replicas', `is ${show(options.replicas)}, not 1, 3 or 5`)
    for (const name of ['user', 'pass', 'token'] as const)
      if (options[name] !== undefined) faults.name(name, options[name])
    if (options.requestTimeoutMs !== undefined)
      faults.whole('requestTimeoutMs', options.requestTimeoutMs, timeoutMsMin, timeoutMsMax)
  }
  faults.throwIfAny('BAD_CONFIG', 'jetstreamLogEngine')
  const { servers, store = 'starfish', replicas = 1, user, pass, token, requestTimeoutMs = 5_000 } = options
  return {
    servers: typeof servers === 'string' ? [servers] : servers,
    store,
    replicas,
    credentials: {
      ...(user === undefined ? {} : { user }),
      ...(pass === undefined ? {} : { pass }),
      ...(token === undefined ? {} : { token }),
    },
    requestTimeoutMs,
  }
}

function serverList(servers: unknown): unknown[] {
  return Array.isArray(servers) ? servers : []
}
