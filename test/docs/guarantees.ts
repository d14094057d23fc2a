/**
 * What is wrong with a page of guarantees: each of them, a bullet or the row of a table, carries notes, and each note names
 * a test that is there.
 *
 *     - Children start left to right.[^start-order]
 *
 *     [^start-order]: [supervisor-machine](../test/supervisor/supervisor-machine.test.ts): children start one after …
 */

import { isRow, isTableLine } from './pages.ts'

/** Reads a file, named as a link from the page; undefined when there is none. */
export type ReadLinked = (link: string) => string | undefined

interface Note {
  readonly label: string
  readonly link: string
  readonly test: string
}

/** Sections whose bullets promise nothing. */
const unpromising = ['What is not promised', 'Tests']

/** The faults of a page, one line each; none when all is well. */
export function faultsOf(page: string, read: ReadLinked): string[] {
  const notes = notesOf(page)
  const guarantees = guaranteesOf(page)
  const used = new Set(guarantees.flatMap(labelsIn))
  const known = new Set(notes.map(({ label }) => label))
  return [
    ...guarantees.filter(text => labelsIn(text).length === 0).map(text => `no test is named for: ${text}`),
    ...[...used].filter(label => !known.has(label)).map(label => `there is no note [^${label}]`),
    ...notes.filter(({ label }) => !used.has(label)).map(({ label }) => `nothing refers to [^${label}]`),
    ...notes.filter((note, at) => notes.findIndex(each => each.label === note.label) < at).map(twice),
    ...notes.flatMap(note => faultsOfNote(note, read)),
  ]
}

function twice({ label }: Note): string {
  return `[^${label}] is there twice`
}

function faultsOfNote({ label, link, test }: Note, read: ReadLinked): string[] {
  const source = read(link)
  if (source === undefined) return [`[^${label}]: there is no file ${link}`]
  return titlesOf(source).some(title => title.test(test)) ? [] : [`[^${label}]: ${link} has no test named: ${test}`]
}

/** The bullets and the rows of tables, each as one line. */
export function guaranteesOf(page: string): string[] {
  const found: string[] = []
  // What comes before the first section is about the page.
  for (const section of page.split(/^##+ /m).slice(1)) {
    const [heading = '', ...lines] = section.split('\n')
    if (!unpromising.includes(heading)) found.push(...bulletsOf(lines), ...rowsOf(lines))
  }
  return found
}

/** A bullet goes on to the next line that is not indented. */
function bulletsOf(lines: readonly string[]): string[] {
  const bullets: string[] = []
  let open = false
  for (const line of lines) {
    if (line.startsWith('- ')) bullets.push(line.slice(2))
    else if (open && line.startsWith('  ') && !isTableLine(line)) bullets.push(`${bullets.pop()} ${line.trim()}`)
    if (/^\S/.test(line)) open = line.startsWith('- ')
  }
  return bullets
}

/** The rows below the line under the head of a table. */
function rowsOf(lines: readonly string[]): string[] {
  return lines.filter((line, at) => isRow(line, lines[at + 1])).map(line => line.trim())
}

function labelsIn(text: string): string[] {
  return [...text.matchAll(/\[\^([\w-]+)\](?!:)/g)].map(([, label]) => label!)
}

/** The notes of a page; one goes on in lines indented by four. */
function notesOf(page: string): Note[] {
  const joined = page.replace(/\n {4}(?=\S)/g, ' ')
  const notes = joined.matchAll(/^\[\^([\w-]+)\]: \[[^\]]+\]\(([^)]+)\): (.+)$/gm)
  return [...notes].map(([, label, link, test]) => ({ label: label!, link: link!, test: test! }))
}

/** What tests of a file are called: literals where a name is given, with anything in the place of what is filled in. */
function titlesOf(source: string): RegExp[] {
  const literals = source.matchAll(
    /(?:\w\(|\bname:|\btitle:)\s*(?:(['"])((?:(?!\1)[^\\\n]|\\.)*)\1|`((?:[^`\\]|\\.)*)`)/g,
  )
  return [...literals].map(([, , text, template]) =>
    text === undefined
      ? new RegExp(
          `^${template!
            .split(/\$\{[^}]*\}/)
            .map(RegExp.escape)
            .join('.*')}$`,
        )
      : new RegExp(`^${RegExp.escape(text.replace(/\\(.)/g, '$1'))}$`),
  )
}
