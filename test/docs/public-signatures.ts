/**
 * Which types the public signatures of an entry name. Read from the source, which the formatter keeps in one form: a declaration
 * begins at the margin and ends with the first line at the margin behind it.
 */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A type that is named by an export. */
export interface NamedType {
  /** What names it. */
  readonly by: string
  readonly type: string
}

/** The names that a module exports, with the file that each comes from. */
export function exportsOf(entry: string): Map<string, string> {
  const names = new Map<string, string>()
  for (const [, list = '', from = ''] of readFileSync(entry, 'utf8').matchAll(
    /^export (?:type )?\{([^}]*)\} from '([^']+)'/gm,
  )) {
    for (const name of list.split(',').map(part => part.replace(/\btype\b/, '').trim())) {
      if (name !== '') names.set(name, join(dirname(entry), from))
    }
  }
  return names
}

/** The types of this project that the signatures of those names have, each once by name and type. */
export function typesNamed(exported: ReadonlyMap<string, string>): readonly NamedType[] {
  const found: NamedType[] = []
  for (const [by, file] of exported) {
    const source = withoutComments(readFileSync(file, 'utf8'))
    const own = typesKnownIn(source)
    const words = new Set(signatureOf(by, source).match(/\b[A-Z]\w*\b/g))
    for (const type of words) if (type !== by && own.has(type)) found.push({ by, type })
  }
  return found
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
}

/** Types that a module declares, or imports from another of the project. */
function typesKnownIn(source: string): Set<string> {
  const names = new Set<string>()
  for (const [, name = ''] of source.matchAll(/^(?:export )?(?:declare )?(?:interface|type|class) (\w+)/gm)) {
    names.add(name)
  }
  for (const [, list = ''] of source.matchAll(/^import (?:type )?\{([^}]*)\} from '\./gm)) {
    for (const part of list.split(',')) names.add(part.replace(/\btype\b/, '').trim())
  }
  return names
}

/** What a declaration shows to those who use it; nothing of what another package declares. Throws for a name that is declared nowhere. */
function signatureOf(name: string, source: string): string {
  const start = new RegExp(
    `^export (?:declare )?(?:abstract )?(interface|type|class|(?:async )?function|const) ${name}\\b`,
    'gm',
  )
  const parts: string[] = []
  for (const { 1: kind, index } of source.matchAll(start)) {
    const rest = source.slice(index)
    if (kind?.endsWith('function')) parts.push(/^[\s\S]*?(?: \{$|\n(?=\S)(?!\)))/m.exec(rest)?.[0] ?? rest)
    else if (kind === 'const') parts.push(/^[^=]*/.exec(rest)![0])
    else if (kind === 'class') parts.push(membersOf(/^[\s\S]*?\n\}/.exec(rest)![0]))
    // What an interface extends has its members without being named by anybody.
    else parts.push(/^[\s\S]*?\n(?=\S)/.exec(`${rest}\n;`)![0].replace(/^(export interface .*) extends [^{]*/, '$1'))
  }
  if (parts.length === 0 && !new RegExp(`^export type \\{[^}]*\\b${name}\\b`, 'm').test(source))
    throw new Error(`${name} is declared nowhere`)
  return parts.join('\n')
}

/** The lines of a class that declare members which are no secret. Who constructs it is none of the users' business. */
function membersOf(declaration: string): string {
  return declaration
    .split('\n')
    .filter(line => /^(?:\S| {2}(?!#|private |constructor|[})])\S)/.test(line))
    .join('\n')
}
