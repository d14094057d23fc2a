/** TLS of `starfish log`: files that are named on the command line. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type ConnectionOptions, createSecureContext } from 'node:tls'

/** Paths of PEM files. */
export interface TlsFiles {
  /** Certificates of who may sign for a server. Those that Node.js trusts when missing. */
  readonly ca: string | undefined
  /** The certificate that the client shows, and its key. */
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** What the files hold, as `createLogClient` takes it. Throws an error that names the option whose file cannot be used. */
export function readTls({ ca, cert, key }: TlsFiles): ConnectionOptions {
  const authority = ca === undefined ? {} : { ca: readAs('--ca', ca) }
  const own = cert === undefined || key === undefined ? {} : { cert: readAs('--cert', cert), key: readAs('--key', key) }
  // Node takes anything for an authority, and then trusts nobody.
  if (authority.ca !== undefined) check('--ca', () => new X509Certificate(authority.ca))
  check('--cert with --key', () => createSecureContext(own))
  return { ...authority, ...own }
}

function readAs(option: string, path: string): Buffer {
  return check(option, () => readFileSync(path))
}

function check<T>(option: string, use: () => T): T {
  try {
    return use()
  } catch (error) {
    throw new Error(`${option} cannot be used: ${error instanceof Error ? error.message : String(error)}`)
  }
}
