import t from 'tap'
import { nearestWord } from '../../src/messages/nearest-word.ts'

const options = ['restart', 'shutdown', 'strategy', 'intensity', 'periodMs', 'maxChildren', 'id', 'input', 'shard']

t.test('the word that was meant is the one that differs by few letters', async t => {
  for (const [written, meant] of [
    ['restrat', 'restart'],
    ['stratgy', 'strategy'],
    ['intesnity', 'intensity'],
    ['Restart', 'restart'],
    ['shards', 'shard'],
    ['maxChild', 'maxChildren'],
    ['inputs', 'input'],
    ['ids', 'id'],
    ['di', 'id'],
  ] as const)
    t.equal(nearestWord(written, options), meant, written)
})

t.test('what was cut short, or lacks its unit, is found', async t => {
  t.equal(nearestWord('period', options), 'periodMs')
  t.equal(nearestWord('timeout', ['timeoutMs', 'timer']), 'timeoutMs')
  t.equal(nearestWord('shard', ['shardHeapMb', 'shards', 'shardsMax']), 'shards', 'the one that lacks least')
  t.equal(nearestWord('s', options), undefined, 'one letter is no abbreviation')
})

t.test('what is like nothing is like nothing', async t => {
  for (const written of ['colour', 'x', '', 'simple_one_for_one', '__proto__'])
    t.equal(nearestWord(written, options), undefined, written)
  t.equal(nearestWord('restart', []), undefined)
})

t.test('of several the nearest, of equally near ones the first', async t => {
  t.equal(nearestWord('maxMs', ['minMs', 'maxMsg', 'maxMb']), 'maxMsg')
  t.equal(nearestWord('abcd', ['abce', 'abcf']), 'abce')
})
