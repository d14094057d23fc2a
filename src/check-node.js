/**
 * Refuses a Node.js that is too old, in one line instead of a stack trace. Every entry imports this module first.
 *
 * This file, and whatever an entry links, has to parse and link on Node 20: a syntax error there would come before the
 * check. So it imports nothing, and is JavaScript.
 */

/** The versions of Node.js that Starfish runs on; the same as `engines` in package.json. */
export const nodeRange = '^24.20.0 || >=26.6.0'

/**
 * Why that version of Node.js cannot be used, in one line; undefined when it can.
 *
 * @param {string} version as `process.version` says it
 * @param {string} range versions that can be used
 * @returns {string | undefined}
 */
export function nodeProblem(version, range = nodeRange) {
  const wanted = range.split('||').map(part => part.trim())
  if (wanted.some(part => satisfies(version, part))) return undefined
  return `starfish needs Node ${range}, this is ${version}`
}

/**
 * Knows the two forms that the range is made of: `^a.b.c` and `>=a.b.c`.
 *
 * @param {string} version
 * @param {string} part
 */
function satisfies(version, part) {
  const least = numbersOf(part)
  const actual = numbersOf(version)
  if (part.startsWith('^') && actual[0] !== least[0]) return false
  for (const [i, number] of least.entries()) if (actual[i] !== number) return (actual[i] ?? 0) > number
  return true
}

/**
 * `v24.20.1-rc.1` as 24, 20, 1.
 *
 * @param {string} version
 */
function numbersOf(version) {
  return (/(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []).slice(1).map(Number)
}

const problem = nodeProblem(process.version)
if (problem !== undefined) {
  console.error(problem)
  process.exit(1)
}
