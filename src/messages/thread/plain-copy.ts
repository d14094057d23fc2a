/** Values cut down to what every thread can read. */

/** Levels that are kept: far more than a kernel's own messages have, far fewer than a stack takes. */
const depthMax = 64

/**
 * Copies plain objects and arrays, down to a depth of 64 levels; what is deeper, and what is neither data nor text
 * (functions, maps, buffers, …), is described in words, such as `[object Map]`.
 */
export function plainCopy(value: unknown): unknown {
  return copyAt(value, 0)
}

function copyAt(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) {
    return typeof value === 'function' || typeof value === 'symbol' ? `[${typeof value}]` : value
  }
  const prototype = Object.getPrototypeOf(value)
  const isPlain = Array.isArray(value) || prototype === Object.prototype || prototype === null
  if (!isPlain || depth === depthMax) return Object.prototype.toString.call(value)
  if (Array.isArray(value)) return value.map(item => copyAt(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyAt(item, depth + 1)]))
}
