/** Reads the options of a command. */
import { parseArgs } from 'node:util'
import { nearestWord } from '../messages/nearest-word.ts'
import { UsageError } from './usage-error.ts'

/** One option. */
export interface OptionForm {
  /** What its value may be, in words; missing for an option that takes none. */
  readonly takes?: string
  /** It may be given several times: the values are joined by commas, which may stand in one too. */
  readonly isList?: boolean
  /** One letter that stands for it. */
  readonly short?: string
}

/** The options that were given, with their values; the last one counts, unless it is a list. */
export type GivenOptions<K extends string> = ReadonlyMap<K, string>

/**
 * Reads `args`, which follow `command`. Throws a {@link UsageError} that names the argument that is wrong, and what may
 * stand there.
 */
export function readOptions<K extends string>(
  command: string,
  forms: Readonly<Record<K, OptionForm>>,
  args: readonly string[],
): GivenOptions<K> {
  const given = new Map<K, string>()
  for (const token of tokensOf(forms, args)) {
    if (token.kind === 'positional') throw new UsageError(command, `unexpected argument ${JSON.stringify(token.value)}`)
    if (token.kind !== 'option') continue
    const { rawName, value } = token
    if (!isKnown(forms, token.name)) throw new UsageError(command, unknownOption(rawName, Object.keys(forms)))
    const { takes, isList } = forms[token.name]
    if (takes === undefined && value !== undefined) {
      throw new UsageError(command, `${rawName} takes no value, not ${JSON.stringify(value)}`)
    }
    // The next option rather than a value; a number below zero is a value, if a wrong one.
    const isMissing = value === undefined || (!token.inlineValue && /^-\D/.test(value))
    if (takes !== undefined && isMissing) throw new UsageError(command, `${rawName} needs a value: ${takes}`)
    const before = isList ? given.get(token.name) : undefined
    given.set(token.name, before === undefined ? (value ?? '') : `${before},${value}`)
  }
  return given
}

/** `unknown option --prot`, with what it may have been. */
export function unknownOption(rawName: string, names: readonly string[]): string {
  const meant = nearestWord(rawName.replace(/^--?/, ''), names)
  return `unknown option ${rawName}${meant === undefined ? '' : ` (did you mean --${meant}?)`}`
}

function tokensOf(forms: Readonly<Record<string, OptionForm>>, args: readonly string[]) {
  const options = Object.entries(forms).map(([name, { takes, short }]) => {
    const type: 'string' | 'boolean' = takes === undefined ? 'boolean' : 'string'
    return [name, short === undefined ? { type } : { type, short }] as const
  })
  // Not strict: what Node says of a wrong option names neither its value nor what is allowed.
  return parseArgs({ args: [...args], options: Object.fromEntries(options), strict: false, tokens: true }).tokens
}

function isKnown<K extends string>(forms: Readonly<Record<K, OptionForm>>, name: string): name is K {
  return Object.hasOwn(forms, name)
}
