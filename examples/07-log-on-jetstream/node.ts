// A node: serves the log that lies in the JetStream of the address it is given, and says where.
import { createLogger, createLogServer, createSystem, jetstreamLogEngine } from 'starfish-net'

const [, , servers = ''] = process.argv
const system = await createSystem({ shards: 2, logger: createLogger({ level: 'silent' }) })
const { host, port } = await createLogServer(system, { port: 0, engine: jetstreamLogEngine.with({ servers }) }).start()
process.send?.(`${host}:${port}`)
process.once('disconnect', () => system.stop())
