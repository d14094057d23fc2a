/**
 * The samples of a page: its fenced blocks of TypeScript and JavaScript.
 *
 * A sample whose first line is a comment with the name of a file (`// counter.ts`) is that file: the samples of a page lie in
 * one folder and import each other. One that is marked `run` (```ts run) is a program that ends with code 0; a block of
 * `text` right behind it, or behind a line of words, is what it prints; `…` stands for anything.
 */

/** One sample. */
export interface Sample {
  /** Name of its file, unique within the page. */
  readonly file: string
  readonly code: string
  readonly run: boolean
  /** What it prints, where the page says so. */
  readonly prints: RegExp | undefined
}

const block = /^```(\w*)([^\n]*)\n(.*?)^```$/gms

/** The samples of a page, in order. */
export function samplesOf(page: string): Sample[] {
  const blocks = [...page.matchAll(block)]
  return blocks.flatMap(([whole, language, mark, code], at) => {
    if (language !== 'ts' && language !== 'js') return []
    const line = page.slice(0, blocks[at]!.index).split('\n').length
    const file = /^\/\/ ([\w.-]+\.m?[tj]s)\b/.exec(code!)?.[1] ?? `line-${line}.${language}`
    const next = blocks[at + 1]
    const between = next && page.slice(blocks[at]!.index + whole.length, next.index)
    const prints = next?.[1] === 'text' && /^.*$/.test(between!.trim()) ? patternOf(next[3]!) : undefined
    return [{ file, code: code!, run: mark!.trim() === 'run', prints }]
  })
}

function patternOf(text: string): RegExp {
  return new RegExp(`^${text.split('…').map(RegExp.escape).join('.*')}$`, 's')
}
