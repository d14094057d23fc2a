/** The pages that are for people who use Starfish or read its code, with their text. */
import { readdirSync, readFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)

/** A page. */
export interface Page {
  /** Path from the root of the project. */
  readonly path: string
  readonly url: URL
  readonly text: string
}

/** All pages: README, ARCHITECTURE and docs/. */
export function readPages(): Page[] {
  const docs = readdirSync(new URL('docs/', root), { recursive: true, encoding: 'utf8' })
  const pages = docs.filter(file => file.endsWith('.md')).map(file => `docs/${file}`)
  return ['README.md', 'ARCHITECTURE.md', ...pages].map(readPage)
}

/** One page, by its path from the root of the project. */
export function readPage(path: string): Page {
  const url = new URL(path, root)
  return { path, url, text: readFileSync(url, 'utf8') }
}

/** The rows of the tables under a heading, each as its cells, the heads left out. */
export function tableRows({ text }: Page, heading: string): string[][] {
  const [, section = ''] = text.split(new RegExp(`^#+ ${RegExp.escape(heading)}$`, 'm'))
  const lines = section.split(/^#+ /m)[0]!.split('\n')
  return lines.filter((line, at) => isRow(line, lines[at + 1])).map(cellsOf)
}

function cellsOf(row: string): string[] {
  return row
    .trim()
    .slice(1, -1)
    .split('|')
    .map(cell => cell.trim())
}

/** Whether a line is one of a table, in a list perhaps. */
export function isTableLine(line: string): boolean {
  return line.trimStart().startsWith('|')
}

/** Whether a line is a row of a table: neither its head, which `next` would tell, nor the rule below that. */
export function isRow(line: string, next = ''): boolean {
  return isTableLine(line) && !isRule(line) && !isRule(next)
}

function isRule(line: string): boolean {
  return /^\s*\|[\s|:-]+\|$/.test(line)
}
