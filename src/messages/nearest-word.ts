/**
 * The word that was meant: of those that are known, the one nearest to what was written.
 *
 * Near is what differs by few letters (swapped neighbours count as one; Damerau's and Levenshtein's distance) and what
 * was cut short, such as `timeout` for `timeoutMs`. Case does not matter.
 *
 * @see https://doi.org/10.1145/363958.363994
 */

/** Fewer letters than this are no abbreviation. */
const shortestPrefix = 4

/** The nearest of `words`, the first of several; undefined when none is near. */
export function nearestWord(written: string, words: Iterable<string>): string | undefined {
  const from = written.toLowerCase()
  let nearest: string | undefined
  let least = Math.min(3, Math.max(1, Math.floor(from.length / 3))) + 1
  for (const word of words) {
    const to = word.toLowerCase()
    const isCut = from.length >= shortestPrefix && (to.startsWith(from) || from.startsWith(to))
    const distance = isCut ? cutDistance(to.length - from.length) : distanceBelow(from, to, least)
    if (distance >= least) continue
    least = distance
    nearest = word
  }
  return nearest
}

/** Less than one letter, and the less the fewer letters are missing, or too many. */
function cutDistance(missing: number): number {
  return 1 - 1 / (1 + Math.abs(missing))
}

/** Letters to insert, drop, replace or swap with their neighbour; `limit` stands for that many and more. */
function distanceBelow(from: string, to: string, limit: number): number {
  if (Math.abs(from.length - to.length) >= limit) return limit
  let twoAbove: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const distances = [row]
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[row - 1] === to[column - 1]
      const isSwapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      distances[column] = Math.min(
        above[column]! + 1,
        distances[column - 1]! + 1,
        above[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? twoAbove[column - 2]! + 1 : limit,
      )
    }
    twoAbove = above
    above = distances
  }
  return Math.min(limit, above[to.length]!)
}
