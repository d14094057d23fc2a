/** What a protocol of a user may be, checked by tsc: an error that is expected and does not come is an error. */
import t from 'tap'
import { type BoundEventProtocol, defineEventProtocol, dialectV1, type EventDialect } from '../../src/index.ts'

const url = import.meta.url

t.test('a dialect has the fields of one and no others, and is bound to the options that it takes', async t => {
  const bare = defineEventProtocol(url, 'bare', () => ({ ...dialectV1 }))
  const network = defineEventProtocol(url, 'network', (options: { network: number }) => ({
    ...dialectV1,
    validateHeader: (bytes, at) => bytes[at + 12] === options.network,
    seal: {
      sealedBytes: bodyBytes => bodyBytes + 1,
      sealBody: (frame, body) => frame.set(body, 16),
    },
  }))
  // @ts-expect-error a field that no dialect has
  defineEventProtocol(url, 'misspelt', () => ({ ...dialectV1, validateBody: () => true }))
  // @ts-expect-error a field that is missing
  defineEventProtocol(url, 'incomplete', () => ({ headerBytes: 16 }))
  defineEventProtocol(url, 'instance', (): EventDialect => Object.create(dialectV1))
  const bound: BoundEventProtocol[] = [bare.with(), bare.with(undefined), network.with({ network: 1 })]
  // @ts-expect-error its options are missing
  network.with()
  // @ts-expect-error a definition is not bound
  bound.push(bare)
  t.equal(bound.length, 4)
})
