/** Keys find the partition that Kafka's clients find for them. */
import t from 'tap'
import { murmur2, partitionOfKey } from '../../../../src/services/clients/log/murmur2.ts'

/** Of Kafka's UtilsTest.testMurmur2; those of digits are from Akka's Murmur2Spec, made by Kafka's own code. */
const hashes: readonly (readonly [string, number])[] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
  ['', 275_646_681],
  ['1', -1_993_445_489],
  ['12', 126_087_238],
  ['123', -267_702_483],
  ['1234', -1_614_185_708],
  ['12345', -1_188_365_604],
]

t.test('hashes are those of Kafka', async t => {
  for (const [key, hash] of hashes) t.equal(murmur2(Buffer.from(key)), hash, JSON.stringify(key))
})

t.test('a negative hash loses its sign bit, not its sign', async t => {
  t.equal(partitionOfKey(Buffer.from('21'), 1_000), (-973_932_308 + 2 ** 31) % 1_000)
  t.equal(partitionOfKey(Buffer.from('foobar'), 50), 16)
  t.equal(partitionOfKey(Buffer.from('abc'), 7), 479_470_107 % 7)
})
