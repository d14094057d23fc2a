/** What somebody who mistyped a name may have meant. */

/** The name that is a slip or two away from `word`, at most a third of its letters; undefined when none is. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map(name => ({ name, slips: slipsBetween(word, name) }))
    .filter(({ name, slips }) => slips <= Math.min(2, Math.ceil(name.length / 3)))
    .sort((a, b) => a.slips - b.slips)
  return ranked[0]?.name
}

/** Letters left out, put in, changed, or swapped with their neighbour: the optimal string alignment distance. */
function slipsBetween(a: string, b: string): number {
  let above: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = isSwapped ? above[j - 2]! + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change, swap))
    }
    above = row
    row = next
  }
  return row[b.length]!
}
