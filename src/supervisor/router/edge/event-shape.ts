/**
 * Events of one type with the same fields, without their names: in a row of such events the names cross once, the values
 * each time. Structured clone writes every name of every object and looks each up again on the other side, which is two
 * thirds of what a small event costs.
 *
 * Only plain objects whose values are primitives have a shape: for them the result is the same as that of a structured
 * clone, whatever else lies in the batch. The functions of a shape are generated, since a loop over names eats the gain up;
 * where generating code is forbidden there are no shapes.
 */

/** Fields of an event in their order; `type` is the same for all events of a shape. */
export interface EventShape {
  /** Type and fields as text: what crosses in its place. */
  readonly name: string
  /** How many values follow. */
  readonly values: number
  /** Appends the values of an event; false, and nothing is appended, when it has not this shape. */
  readonly write: (event: object, wire: unknown[]) => boolean
  /** The event whose values begin at `at`. */
  readonly read: (wire: readonly unknown[], at: number) => { readonly type: string }
}

/** Fields that an event with a shape may have: beyond that, cloning the names is not what costs. */
const fieldsMax = 24
/** Event types that a thread keeps shapes of; events of others are cloned. */
const typesMax = 1_024
/** Looks at events of a type that has no shape for them: after that, a type whose fields vary is left alone. */
const looksMax = 8
/** Shapes that a thread can read at one time. */
const readableMax = 8_192

interface TypeShapes {
  readonly shapes: EventShape[]
  looks: number
}

const byType = new Map<string, TypeShapes>()
const byName = new Map<string, EventShape>()

/** The shape of an event that is to be sent; undefined when it has none. */
export function shapeOf(event: { readonly type: string }): EventShape | undefined {
  const known = byType.get(event.type) ?? shapesOfNewType(event.type)
  if (known === undefined) return undefined
  for (const shape of known.shapes) if (shape.write(event, [])) return shape
  if (known.looks >= looksMax) return undefined
  known.looks++
  const shape = lookAt(event)
  if (shape !== undefined) known.shapes.push(shape)
  return shape
}

/** The shape of that name, which came from another thread. */
export function shapeNamed(name: string): EventShape {
  const known = byName.get(name)
  if (known !== undefined) return known
  if (byName.size >= readableMax) byName.clear()
  const shape = createShape(name)
  byName.set(name, shape)
  return shape
}

function shapesOfNewType(type: string): TypeShapes | undefined {
  if (byType.size >= typesMax) return undefined
  const shapes: TypeShapes = { shapes: [], looks: 0 }
  byType.set(type, shapes)
  return shapes
}

function lookAt(event: { readonly type: string }): EventShape | undefined {
  if (Object.getPrototypeOf(event) !== Object.prototype) return undefined
  const fields = Object.keys(event)
  if (fields.length > fieldsMax || fields.includes('__proto__')) return undefined
  try {
    const shape = createShape(JSON.stringify([event.type, ...fields]))
    return shape.write(event, []) ? shape : undefined
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

function createShape(name: string): EventShape {
  const [type, ...fields] = JSON.parse(name) as [string, ...string[]]
  const others = fields.filter(field => field !== 'type')
  const write = new Function('plain', 'fields', 'type', `return ${writerOf(others)}`)(Object.prototype, fields, type)
  const literals = fields.map(field => {
    const value = field === 'type' ? JSON.stringify(type) : `wire[at + ${others.indexOf(field)}]`
    return `${JSON.stringify(field)}: ${value}`
  })
  const read = new Function('wire', 'at', `return { ${literals.join(', ')} }`) as EventShape['read']
  return { name, values: others.length, write, read }
}

/**
 * function (event, wire) {
 *   prototype, type, and names in their order are those of the shape, and every value is a primitive?
 *   wire.push(v0, v1, …)
 * }
 */
function writerOf(others: readonly string[]): string {
  const values = others.map((_, index) => `v${index}`)
  const reads = others.map((field, index) => `const v${index} = event[${JSON.stringify(field)}]`)
  const checks = values.map(
    v =>
      `if (typeof ${v} === 'object' ? ${v} !== null : typeof ${v} === 'function' || typeof ${v} === 'symbol') return false`,
  )
  return `function (event, wire) {
    if (Object.getPrototypeOf(event) !== plain || event.type !== type) return false
    let count = 0
    for (const field in event) if (field !== fields[count++]) return false
    if (count !== fields.length) return false
    ${[...reads, ...checks].join('\n')}
    ${values.length === 0 ? '' : `wire.push(${values.join(', ')})`}
    return true
  }`
}
