import t from 'tap'
import { isStarfishError } from '../../src/messages/errors.ts'
import { createFaults } from '../../src/messages/option-faults.ts'

t.test('an unknown option is named with its path and with the one that was meant', async t => {
  const faults = createFaults()
  const spec = { restrat: 1, backoff: { maxMS: 1, colour: 'red', initialMs: 5 }, left: undefined }
  t.equal(faults.options('', spec, ['restart', 'backoff']), true)
  t.equal(faults.within('children[2]').options('backoff', spec.backoff, ['initialMs', 'maxMs']), true)
  t.throws(() => faults.throwIfAny('BAD_SPEC', 'bad specification'), {
    message:
      'bad specification: restrat is not known: did you mean restart?; ' +
      'children[2].backoff.maxMS is not known: did you mean maxMs?; ' +
      'children[2].backoff.colour is not known; known are initialMs, maxMs',
    details: {
      reasons: [{ path: 'restrat' }, { path: 'children[2].backoff.maxMS' }, { path: 'children[2].backoff.colour' }],
    },
  })
})

t.test('what is no object has no options', async t => {
  for (const [value, shown] of [
    [null, 'null'],
    [7, '7'],
    ['x', '"x"'],
    [[], 'an array'],
    [() => 1, '() => 1'],
  ] as const) {
    const faults = createFaults()
    t.equal(faults.options('backoff', value, []), false)
    t.throws(() => faults.throwIfAny('BAD_SPEC', 'bad'), {
      message: `bad: backoff is ${shown}, not an object with options`,
    })
  }
})

t.test('options that are not those of a spec are told as BAD_CONFIG, which names the first', async t => {
  const faults = createFaults()
  t.equal(faults.none, true)
  faults.throwIfAny('BAD_CONFIG', 'bad options')
  faults.whole('shards', -1, 0, 9)
  faults.boolean('deep', 'yes')
  t.equal(faults.none, false)
  try {
    faults.throwIfAny('BAD_CONFIG', 'bad options')
    t.fail('nothing was thrown')
  } catch (error) {
    t.ok(isStarfishError(error, 'BAD_CONFIG'))
    t.match(error, { details: { option: 'shards', reasons: [{ path: 'shards' }, { path: 'deep' }] } })
  }
})
