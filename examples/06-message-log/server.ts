// A log server in a process of its own, so that it can be killed: node server.ts PORT FILE
import { createLogger, createLogServer, createSystem, sqliteLogEngine } from 'starfish-net'

const [port, path = ''] = process.argv.slice(2)
const system = await createSystem({ shards: 1, logger: createLogger({ level: 'silent' }) })
const server = createLogServer(system, { port: Number(port), engine: sqliteLogEngine.with({ path }) })
process.send?.((await server.start()).port)
// It lives as long as whoever started it.
process.on('disconnect', () => process.exit())
