/** Who has no log behind JetStream needs nothing of NATS; who has, and lacks it, is told what to install. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import { newFolder } from './sqlite-world.ts'

const source = fileURLToPath(new URL('../../../src', import.meta.url))
const engine = join('protocols', 'message-log', 'engine', 'jetstream', 'jetstream-log-engine.ts')

t.test('without its packages the engine is loaded, and refused with their names when it is opened', async t => {
  // Outside of the checkout, where no packages are found.
  const folder = newFolder(t)
  cpSync(source, join(folder, 'src'), { recursive: true })
  const { jetstreamLogEngine } = await import(pathToFileURL(join(folder, 'src', engine)).href)
  const options = { servers: '127.0.0.1:4222' }
  for (const method of ['probe', 'open', 'openReader']) {
    const refusal: unknown = await jetstreamLogEngine.opener[method](options).catch((error: unknown) => error)
    t.match(
      refusal,
      { code: 'BAD_CONFIG', message: /npm install @nats-io\/transport-node @nats-io\/jetstream/ },
      method,
    )
  }
  const refusal: unknown = await jetstreamLogEngine.opener.open({}).catch((error: unknown) => error)
  t.match(refusal, { code: 'BAD_CONFIG', message: /servers/ })
})
