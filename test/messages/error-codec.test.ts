import t from 'tap'
import { decodeError, encodeError, errorCodecLimits } from '../../src/messages/error-codec.ts'
import { StarfishError } from '../../src/messages/errors.ts'

/** As an error arrives on another thread. */
function cross<T = Error & Record<string, unknown>>(error: unknown): T {
  return decodeError(structuredClone(encodeError(error))) as T
}

t.test('an error of a class of the user keeps name, message, stack, code, fields and cause', async t => {
  class PumpError extends TypeError {
    override readonly name = 'PumpError'
    readonly code = 'PUMP_JAMMED'
    readonly litres = 12
    readonly at = new Date(5)
    readonly nested = { valve: [1, { open: true }] }
  }
  const error = new PumpError('jammed', { cause: new RangeError('too much', { cause: 'gravity' }) })
  const copy = cross(error)
  t.ok(copy instanceof TypeError)
  t.match(copy, { name: 'PumpError', message: 'jammed', stack: error.stack, code: 'PUMP_JAMMED', litres: 12 })
  t.equal(copy.constructor.name, 'PumpError')
  t.same(copy['at'], new Date(5))
  t.same(copy['nested'], { valve: [1, { open: true }] })
  t.ok(copy.cause instanceof RangeError)
  t.equal((copy.cause as Error).cause, 'gravity')
  t.notOk(Object.keys(copy).includes('cause'), 'cause stays out of sight, as in the original')
})

t.test('an error of a class of the user that has no name of its own keeps that of its class', async t => {
  class Leak extends RangeError {}
  const copy = cross(cross(new Leak('wet')))
  t.ok(copy instanceof RangeError)
  t.equal(copy.name, 'RangeError')
  t.equal(copy.constructor.name, 'Leak')
  t.same(Object.keys(copy), [])
})

t.test('a StarfishError comes back as one, with its table facts', async t => {
  const cause = new Error('why')
  const details = { address: 'probe/1', reason: { type: 'threw', error: new SyntaxError('inner') } }
  const copy = cross<StarfishError>(new StarfishError('ACTOR_DIED', 'it died', { details, handled: 'unknown', cause }))
  t.ok(copy instanceof StarfishError)
  t.match(copy, { code: 'ACTOR_DIED', retryable: true, handled: 'unknown', message: 'it died', name: 'StarfishError' })
  t.match(copy.cause, { message: 'why' })
  t.equal(copy.details['address'], 'probe/1')
  t.ok((copy.details['reason'] as { error: Error }).error instanceof SyntaxError, 'errors in details are whole too')
})

t.test('each built-in class comes back as itself', async t => {
  for (const Class of [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]) {
    const copy = cross(new Class('x'))
    t.equal(copy.constructor, Class)
    t.equal(copy.name, Class.name)
  }
  const aggregate = cross<AggregateError>(new AggregateError([new TypeError('a'), 'b'], 'both'))
  t.ok(aggregate instanceof AggregateError)
  t.ok(aggregate.errors[0] instanceof TypeError)
  t.equal(aggregate.errors[1], 'b')
  const aborted = cross<DOMException>(new DOMException('stop', 'AbortError'))
  t.ok(aborted instanceof DOMException)
  t.match(aborted, { name: 'AbortError', code: 20, message: 'stop' })
})

t.test('an error without a stack or a cause gets neither', async t => {
  const bare = new Error('bare')
  Object.defineProperty(bare, 'stack', { value: undefined })
  t.equal(cross(bare).stack, undefined)
  t.notOk('cause' in cross(bare))
  t.ok('cause' in cross(new Error('x', { cause: undefined })), 'a cause that is undefined is still a cause')
})

t.test('thrown values that are no errors cross as they are', async t => {
  for (const value of ['text', 7, 7n, null, undefined, true]) t.equal(cross(value), value)
  t.same(cross({ a: [1, 2] }), { a: [1, 2] })
  t.same(cross(new Map([[1, 'one']])), new Map([[1, 'one']]))
})

t.test('what cannot be cloned is described, the rest stays', async t => {
  const socket = { write() {}, remote: '127.0.0.1' }
  const error = Object.assign(new Error('x'), { socket, port: 80, close: function close() {}, id: Symbol('me') })
  const weak = Object.assign(new Error('y'), { keys: new WeakMap(), waiting: new Map([[1, () => {}]]) })
  t.match(cross(error), { port: 80, close: '[Function: close]', id: '[Symbol(me)]' })
  t.same(cross(error)['socket'], { write: '[Function: write]', remote: '127.0.0.1' })
  t.equal(cross(weak)['waiting'], '[Map]')
})

t.test('cycles, depth, width and size are bounded', async t => {
  const loop: Error & { self?: unknown } = new Error('loop')
  loop.self = loop
  loop.cause = loop
  t.match(cross(loop), { self: '[circular]', cause: '[circular]' })

  let deep: unknown = 'bottom'
  for (let i = 0; i < 100; i++) deep = new Error(`level ${i}`, { cause: deep })
  let levels = 0
  for (let at = cross<unknown>(deep); at instanceof Error; at = at.cause) levels++
  t.equal(levels, errorCodecLimits.depthMax)

  const wide = Object.assign(new Error('wide'), { list: Array.from({ length: 100_000 }, (_, i) => i) })
  t.ok((cross(wide)['list'] as unknown[]).length <= errorCodecLimits.valuesMax)

  const long = cross(new Error('m'.repeat(1_000_000)))
  t.equal(long.message.length, errorCodecLimits.textCharsMax + 1, 'cut, with an ellipsis')
  const big = Object.assign(new Error('big'), { bytes: new Uint8Array(errorCodecLimits.binaryBytesMax + 1) })
  t.equal(cross(big)['bytes'], `[Uint8Array of ${errorCodecLimits.binaryBytesMax + 1}]`)
})

t.test('an object that fights back still encodes', async t => {
  const hostile = new Error('x')
  Object.defineProperty(hostile, 'message', {
    get() {
      throw new Error('no')
    },
  })
  Object.defineProperty(hostile, 'field', {
    enumerable: true,
    get() {
      throw new Error('no')
    },
  })
  const proxy = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no')
      },
      get() {
        throw new Error('no')
      },
      getPrototypeOf() {
        throw new Error('no')
      },
    },
  )
  t.match(cross(hostile), { message: '[unreadable]', field: '[unreadable]' })
  t.equal(cross(proxy), '[object]')
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
  cross(JSON.parse('{"__proto__": {"polluted": 1}}'))
  t.equal(({} as { polluted?: unknown }).polluted, undefined, 'a field named __proto__ reaches no prototype')
})
