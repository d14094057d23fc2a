/** Writes `docs/benchmarks.md`: one section per suite, each replaced when its suite runs, with its histograms beside it. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { histogramSvg } from './histogram.ts'
import type { Figure, SuiteResult } from './suite.ts'

const page = new URL('../docs/benchmarks.md', import.meta.url)
const drawings = new URL('../docs/benchmarks/', import.meta.url)
const results = new URL('./results/', import.meta.url)
const preface = `# Benchmarks

Written by \`npm run bench -- <suite>\`. Ratios are taken side by side in one run, baseline and measured in turn; a figure is
the median of its rounds, with the least and the greatest. Absolute figures hold for the machine that is named.
`

/** Replaces the section of a suite and its drawings, and writes its figures as JSON. */
export async function writeResults(name: string, result: SuiteResult, quick: boolean): Promise<void> {
  const about = { suite: name, node: process.version, machine: machine(), date: new Date().toISOString(), quick }
  mkdirSync(results, { recursive: true })
  writeFileSync(
    new URL(`${name}.json`, results),
    `${JSON.stringify({ ...about, ...result, figures: result.figures.map(withoutSamples) }, null, 2)}\n`,
  )
  const section = [
    `<!-- ${name} -->`,
    `## ${result.title}`,
    '',
    `${about.machine}, Node ${about.node}, ${about.date.slice(0, 10)}${quick ? ', a quick run' : ''}.`,
    '',
    ...result.notes.flatMap(note => [note, '']),
    '| work | in flight | measured | baseline | budget | value (min to max) | |',
    '|---|---|---|---|---|---|---|',
    ...result.figures.map(row),
    '',
    ...(await draw(name, result.figures)),
    `<!-- /${name} -->`,
  ].join('\n')
  mkdirSync(new URL('./', page), { recursive: true })
  writeFileSync(page, replaceSection(readPage(), name, section))
}

function withoutSamples({ distribution: _samples, ...figure }: Figure): Figure {
  return figure
}

/** Draws the histograms of a suite in place of its last ones; the lines of the page that show them. */
async function draw(name: string, figures: readonly Figure[]): Promise<string[]> {
  mkdirSync(drawings, { recursive: true })
  for (const file of readdirSync(drawings)) if (file.startsWith(`${name}-`)) rmSync(new URL(file, drawings))
  const lines: string[] = []
  for (const { distribution } of figures) {
    if (distribution === undefined) continue
    const file = `${name}-${distribution.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.svg`
    writeFileSync(new URL(file, drawings), await histogramSvg(distribution))
    lines.push(`![${distribution.title}](benchmarks/${file})`, '')
  }
  return lines
}

function row(figure: Figure): string {
  const { work, inFlight, baseline = '', budget = '' } = figure
  const verdict = figure.pass === undefined ? '' : figure.pass ? 'pass' : '**short**'
  const range = `${round(figure.value)} (${round(figure.min)} to ${round(figure.max)})`
  return `| ${work} | ${inFlight} | ${figure.figure} | ${baseline} | ${budget} | ${range} | ${verdict} |`
}

/** Three digits that matter. */
export function round(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))
  return value.toFixed(Math.min(digits, 4))
}

function readPage(): string {
  try {
    return readFileSync(page, 'utf8')
  } catch {
    return preface
  }
}

function replaceSection(text: string, name: string, section: string): string {
  const start = text.indexOf(`<!-- ${name} -->`)
  const endMark = `<!-- /${name} -->`
  const end = text.indexOf(endMark)
  if (start < 0 || end < 0) return `${text.trimEnd()}\n\n${section}\n`
  return text.slice(0, start) + section + text.slice(end + endMark.length)
}

function machine(): string {
  return `${cpus()[0]?.model.trim() ?? process.arch} (${availableParallelism()} cores)`
}
