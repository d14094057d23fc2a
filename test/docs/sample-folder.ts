/** The samples of README and docs/ as files, and programs run beside them. */
import { execFile } from 'node:child_process'
import { readPages } from './pages.ts'
import { type Sample, samplesOf } from './samples.ts'

/** The samples of each page, by its path. */
export const samples: ReadonlyMap<string, readonly Sample[]> = new Map(
  readPages().map(({ path, text }) => [path, samplesOf(text)]),
)

/** The folder of the samples of a page. */
export function folderOf(page: string): string {
  return page.replace(/\W/g, '-')
}

/** The samples as a folder of `t.testdir`: one folder for each page. */
export function sampleFolders(): Record<string, Record<string, string>> {
  return Object.fromEntries(
    [...samples].map(([page, each]) => [
      folderOf(page),
      Object.fromEntries(each.map(({ file, code }) => [file, code])),
    ]),
  )
}

/** How a program ended, and what it wrote. */
export interface End {
  readonly code: number
  readonly output: string
  readonly errors: string
}

/** Without what the runner of these tests adds to child processes. */
export function run(program: string, args: readonly string[], cwd: string): Promise<End> {
  return new Promise(resolve => {
    const child = execFile(
      'env',
      ['-u', 'NODE_OPTIONS', program, ...args],
      { cwd, timeout: 60_000 },
      (_, output, errors) => resolve({ code: child.exitCode ?? -1, output, errors }),
    )
  })
}
