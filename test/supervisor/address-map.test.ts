import fc from 'fast-check'
import t from 'tap'
import { AddressMap } from '../../src/supervisor/address-map.ts'

const anyAddress = fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 5 }).map(ids => ids.join('/'))

/** By the definition: the address itself, else the nearest above it. */
function nearestIn(listed: ReadonlySet<string>, address: string): string | undefined {
  const ids = address.split('/')
  for (; ids.length > 0; ids.pop()) if (listed.has(ids.join('/'))) return ids.join('/')
  return undefined
}

t.test('the nearest of any addresses at or above another is found, also after some were deleted', async t => {
  const anyAddresses = fc.uniqueArray(anyAddress, { maxLength: 6 })
  fc.assert(
    fc.property(anyAddresses, anyAddresses, anyAddress, (set, deleted, wanted) => {
      const map = new AddressMap<string>()
      for (const address of set) map.set(address, address)
      for (const address of deleted) map.delete(address)
      return map.nearest(wanted) === nearestIn(new Set(set).difference(new Set(deleted)), wanted)
    }),
    { seed: 6, numRuns: 2_000 },
  )
  t.equal(new AddressMap().nearest('/'), undefined)
})

t.test('an address of very many ids is looked up in as many steps as the deepest that is set has ids', async t => {
  let looks = 0
  class Counted extends AddressMap<number> {
    override get(address: string): number | undefined {
      looks++
      return super.get(address)
    }
  }
  const map = new Counted()
  map.set('a', 1).set('a/b/c', 2)
  t.equal(map.nearest('a/'.repeat(100_000)), 1)
  t.equal(looks, 1 + 3)
})
