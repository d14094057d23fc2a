/** Whoever writes a function that takes or gives what the package does can name its type. */
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { exportsOf, typesNamed } from './public-signatures.ts'

/** Types that follow from what is exported, or that stand at members for the package's own use: nobody has to name them. */
const inner: ReadonlySet<string> = new Set([
  // What charts and their events are made of, by inference.
  'Action',
  'AnyRequest',
  'ChooseText',
  'CompiledChartOf',
  'Exactly',
  'FactOf',
  'InputOption',
  'Message',
  // What stands behind handles.
  'AcceptorInput',
  'AddressHost',
  'ChildPlace',
  'DelayedSends',
  'EventCodecs',
  'ExitListener',
  'HostReports',
  'HostTable',
  'LogEntries',
  'MainThread',
  'NamedCodec',
  'RefHost',
  'ResolvedChildSpec',
  'SupervisorHost',
  'Wake',
])

t.test('the main entry exports the types that its signatures name', async t => {
  const exported = exportsOf(fileURLToPath(new URL('../../src/index.ts', import.meta.url)))
  const named = typesNamed(exported)
  t.ok(named.some(({ by, type }) => by === 'LogClient' && type === 'ConsumerOptions'))
  t.ok(named.some(({ by, type }) => by === 'createLogServer' && type === 'LogServerOptions'))
  const missing = named.filter(({ type }) => !exported.has(type) && !inner.has(type))
  t.same(missing, [])
  const idle = [...inner].filter(type => exported.has(type) || !named.some(({ type: each }) => each === type))
  t.same(idle, [], 'none is passed over without need')
})
