/** The engine in NATS JetStream, as a log server is told of it. */
import { StarfishError } from '../../../../messages/errors.ts'
import { defineLogEngine } from '../define-log-engine.ts'
import { type JetstreamLogOptions, resolveJetstreamLogConfig } from './config.ts'

/**
 * The engine of a log that several nodes write and read: in NATS JetStream, 2.9 or later. Needs two packages that nothing else here
 * does: `npm install @nats-io/transport-node @nats-io/jetstream`.
 *
 * @example createLogServer(system, { port: 7401, engine: jetstreamLogEngine.with({ servers: '127.0.0.1:4222' }) })
 */
export const jetstreamLogEngine = defineLogEngine(import.meta.url, 'jetstreamLogEngine', {
  async probe(options: JetstreamLogOptions) {
    const config = resolveJetstreamLogConfig(options)
    const { openJetstreamReader } = await loadEngine()
    const reader = await openJetstreamReader(config)
    await reader.close()
  },
  async open(options, context) {
    const config = resolveJetstreamLogConfig(options)
    const { openJetstreamEngine } = await loadEngine()
    return openJetstreamEngine(config, context)
  },
  async openReader(options) {
    const config = resolveJetstreamLogConfig(options)
    const { openJetstreamReader } = await loadEngine()
    return openJetstreamReader(config)
  },
})

/** Not before it is used: the packages of NATS are for those who have NATS. */
async function loadEngine() {
  try {
    return await import('./jetstream-engine.ts')
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string }
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes('@nats-io/')) throw cause
    const text =
      'a log behind JetStream needs the client of NATS: npm install @nats-io/transport-node @nats-io/jetstream'
    throw new StarfishError('BAD_CONFIG', text, { details: { option: 'engine' }, cause })
  }
}
