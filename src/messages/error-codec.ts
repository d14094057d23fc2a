/**
 * Errors between threads. `structuredClone` keeps an error's class and message but drops its name, code and own fields;
 * this codec keeps them, with the cause, and bounds what a hostile or huge error may cost.
 *
 * What cannot be cloned (functions, sockets, …) is replaced by a description such as `[Function: close]`.
 */
import { types } from 'node:util'
import { type ErrorCode, errorCodes, type Handled, StarfishError } from './errors.ts'

/** How much of one error crosses: nesting, values in all, characters of one text, bytes of one binary field. */
export const errorCodecLimits = { depthMax: 8, valuesMax: 1_000, textCharsMax: 65_536, binaryBytesMax: 65_536 } as const

/** An error, or any other thrown value, as data that survives structured clone. */
export type EncodedError = EncodedValue

type EncodedValue =
  /** Clonable as it stands: a primitive, a Date, a Map, a typed array, … */
  | { readonly as: 'value'; readonly value: unknown }
  /** Stands for something that cannot cross. */
  | { readonly as: 'described'; readonly text: string }
  | { readonly as: 'list'; readonly items: readonly EncodedValue[] }
  | { readonly as: 'record'; readonly fields: EncodedFields }
  | EncodedErrorObject

type EncodedFields = readonly (readonly [key: string, value: EncodedValue])[]

interface EncodedErrorObject {
  readonly as: 'error'
  /** The nearest class that every thread knows. */
  readonly class: string
  /** The name of its own class, where that is another one. */
  readonly type?: string
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  /** Own enumerable fields, those with a place of their own excepted. */
  readonly fields: EncodedFields
  readonly cause?: EncodedValue
  /** The errors of an AggregateError. */
  readonly errors?: readonly EncodedValue[]
}

const builtinClasses: Readonly<Record<string, new (message?: string) => Error>> = {
  Error,
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}

/** Own fields of an error that are not carried as fields. */
const placed = new Set(['name', 'message', 'stack', 'cause', 'errors'])
/** Own fields of a StarfishError that its constructor sets. */
const placedInStarfish = new Set(['code', 'retryable', 'details', 'handled'])

/** Turns a thrown value into clonable data. Never throws, whatever the value does. */
export function encodeError(thrown: unknown): EncodedError {
  return encodeValue(thrown, { depth: 0, above: [], budget: { values: errorCodecLimits.valuesMax } })
}

/**
 * Rebuilds what {@link encodeError} took: a StarfishError as StarfishError, an error of a built-in class (or of a class
 * derived from one) as that, other errors as Error, each with its name, message, stack, code, own fields and cause.
 * `constructor.name` is that of the class it was made by, which this thread need not know: loggers go by it.
 */
export function decodeError(encoded: EncodedError): unknown {
  switch (encoded.as) {
    case 'value':
      return encoded.value
    case 'described':
      return encoded.text
    case 'list':
      return encoded.items.map(decodeError)
    case 'record':
      return decodeRecord(encoded.fields)
    case 'error':
      return decodeErrorObject(encoded)
  }
}

/**
 * The value itself, if looking at it runs none of its own code; a proxy, or what inherits from one, as its description:
 * `instanceof` on a hostile one would throw wherever the value is handed to.
 */
export function tameError(thrown: unknown): unknown {
  return isProxied(thrown) ? decodeError(describe(thrown)) : thrown
}

function isProxied(value: unknown): boolean {
  let above = value
  while ((typeof above === 'object' && above !== null) || typeof above === 'function') {
    if (types.isProxy(above)) return true
    above = Object.getPrototypeOf(above)
  }
  return false
}

interface Walk {
  readonly depth: number
  /** The objects this one is nested in: meeting one again is a cycle. */
  readonly above: readonly object[]
  readonly budget: { values: number }
}

function encodeValue(value: unknown, walk: Walk): EncodedValue {
  if (walk.budget.values-- <= 0) return { as: 'described', text: '[too large]' }
  if (typeof value === 'string') return { as: 'value', value: cut(value) }
  if (typeof value === 'function' || typeof value === 'symbol') return describe(value)
  if (typeof value !== 'object' || value === null) return { as: 'value', value }
  if (walk.above.includes(value)) return { as: 'described', text: '[circular]' }
  if (walk.depth >= errorCodecLimits.depthMax) return { as: 'described', text: '[too deep]' }
  const below: Walk = { depth: walk.depth + 1, above: [...walk.above, value], budget: walk.budget }
  try {
    if (isError(value)) return encodeErrorObject(value, below)
    if (Array.isArray(value)) return { as: 'list', items: encodeList(value, below) }
    if (isCloned(value)) return encodeCloned(value)
    return { as: 'record', fields: encodeFields(value, below, () => true) }
  } catch {
    return describe(value)
  }
}

function encodeErrorObject(error: Error, walk: Walk): EncodedErrorObject {
  const inStarfish = error instanceof StarfishError
  const errors = error instanceof AggregateError ? encodeList(error.errors, walk) : undefined
  const known = classOf(error)
  const type = tagOf(error)
  return {
    as: 'error',
    class: known,
    ...(type === known ? {} : { type }),
    name: text(read(error, 'name'), 'Error'),
    message: text(read(error, 'message'), ''),
    stack: optionalText(read(error, 'stack')),
    fields: encodeFields(error, walk, key => !placed.has(key) || (inStarfish && placedInStarfish.has(key))),
    ...(Object.hasOwn(error, 'cause') ? { cause: encodeValue(read(error, 'cause'), walk) } : {}),
    ...(errors === undefined ? {} : { errors }),
  }
}

function encodeList(items: readonly unknown[], walk: Walk): EncodedValue[] {
  const encoded: EncodedValue[] = []
  for (const item of items) {
    encoded.push(encodeValue(item, walk))
    if (walk.budget.values <= 0) break
  }
  return encoded
}

function encodeFields(owner: object, walk: Walk, carries: (key: string) => boolean): EncodedFields {
  const fields: [string, EncodedValue][] = []
  for (const key of Object.keys(owner)) {
    if (!carries(key)) continue
    fields.push([cut(key), encodeValue(read(owner, key), walk)])
    if (walk.budget.values <= 0) break
  }
  return fields
}

/** True for the built-in objects that structured clone keeps whole. */
function isCloned(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    value instanceof SharedArrayBuffer ||
    value instanceof Date ||
    value instanceof RegExp ||
    value instanceof Map ||
    value instanceof Set
  )
}

/** Copies at once, so that what the sender changes afterwards does not show. */
function encodeCloned(value: object): EncodedValue {
  const size = (value as { byteLength?: number; size?: number }).byteLength ?? (value as { size?: number }).size ?? 0
  if (size > errorCodecLimits.binaryBytesMax) return { as: 'described', text: `[${tagOf(value)} of ${size}]` }
  return { as: 'value', value: structuredClone(value) }
}

/** Also true for errors of another realm (`node:vm`). */
function isError(value: object): value is Error {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]'
}

function classOf(error: Error): string {
  if (error instanceof StarfishError) return 'StarfishError'
  if (error instanceof AggregateError) return 'AggregateError'
  if (error instanceof DOMException) return 'DOMException'
  for (let proto = Object.getPrototypeOf(error); proto !== null; proto = Object.getPrototypeOf(proto)) {
    const name = text(proto.constructor?.name, '')
    if (Object.hasOwn(builtinClasses, name)) return name
  }
  return 'Error'
}

function decodeErrorObject(encoded: EncodedErrorObject): Error {
  const fields = decodeRecord(encoded.fields)
  const error = withoutStack(() => construct(encoded, fields))
  if (encoded.type !== undefined) nameClass(error, encoded.type)
  if (error.name !== encoded.name) define(error, 'name', encoded.name)
  if (encoded.cause !== undefined) define(error, 'cause', decodeError(encoded.cause))
  define(error, 'stack', encoded.stack)
  for (const [key, value] of Object.entries(fields)) {
    if (error instanceof StarfishError && placedInStarfish.has(key)) continue
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true })
  }
  return error
}

function construct(encoded: EncodedErrorObject, fields: Readonly<Record<string, unknown>>): Error {
  const { message } = encoded
  if (encoded.class === 'StarfishError' && Object.hasOwn(errorCodes, String(fields['code']))) {
    const details = (fields['details'] ?? {}) as Readonly<Record<string, unknown>>
    const handled = fields['handled'] as Handled | undefined
    return new StarfishError(
      fields['code'] as ErrorCode,
      message,
      handled === undefined ? { details } : { details, handled },
    )
  }
  if (encoded.class === 'AggregateError') return new AggregateError((encoded.errors ?? []).map(decodeError), message)
  if (encoded.class === 'DOMException') return new DOMException(message, encoded.name)
  return new (builtinClasses[encoded.class] ?? Error)(message)
}

/** What an error is made by, if it is given the stack of another one: to take down one of its own costs 10 us and more. */
function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error
  // Refused where the built-in objects are frozen.
  if (!Reflect.set(Error, 'stackTraceLimit', 0)) return make()
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Makes `error` an instance of a class of that name, derived from the one it has. */
function nameClass(error: Error, name: string): void {
  const stand = Object.defineProperty(() => {}, 'name', { value: name })
  const prototype = Object.create(Object.getPrototypeOf(error), { constructor: { value: stand } })
  Object.setPrototypeOf(error, prototype)
}

function decodeRecord(fields: EncodedFields): Record<string, unknown> {
  // fromEntries defines rather than assigns, so a field named __proto__ stays a field.
  return Object.fromEntries(fields.map(([key, value]) => [key, decodeError(value)]))
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false })
}

/** Reads a property that may be a getter that throws. */
function read(owner: object, key: string): unknown {
  try {
    return (owner as Record<string, unknown>)[key]
  } catch {
    return '[unreadable]'
  }
}

function describe(value: unknown): EncodedValue {
  if (typeof value === 'function') return { as: 'described', text: `[Function: ${text(read(value, 'name'), '')}]` }
  if (typeof value === 'symbol') return { as: 'described', text: `[${cut(String(value))}]` }
  return { as: 'described', text: `[${tagOf(value as object)}]` }
}

function tagOf(value: object): string {
  try {
    return text(value.constructor?.name, 'object')
  } catch {
    return 'object'
  }
}

function text(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? cut(value) : otherwise
}

function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? cut(value) : undefined
}

function cut(value: string): string {
  return value.length <= errorCodecLimits.textCharsMax ? value : `${value.slice(0, errorCodecLimits.textCharsMax)}…`
}
