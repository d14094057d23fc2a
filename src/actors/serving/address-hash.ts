/** Spreads addresses over tables of a fixed size, so that outsiders cannot tell which of them meet in one place. */

/** FNV-1a over `address`, started from `seed` and mixed at the end: u32. */
export function hashAddress(address: string, seed: number): number {
  let state = (0x811c9dc5 ^ seed) >>> 0
  for (let index = 0; index < address.length; index++) {
    state = Math.imul(state ^ address.charCodeAt(index), 0x01000193)
  }
  state = Math.imul(state ^ (state >>> 16), 0x7feb352d)
  return (state ^ (state >>> 15)) >>> 0
}
