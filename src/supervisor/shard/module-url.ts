/**
 * The URL of a module beside another one: `.ts` when run from the sources, `.js` when built.
 */

/** Resolves `./name`, without an extension, against the module at `base`. */
export function moduleUrlOf(name: string, base: string): string {
  const extension = base.endsWith('.ts') ? '.ts' : '.js'
  return new URL(`${name}${extension}`, base).href
}
