/** Histograms as SVG: how samples are spread, one row for each series, on one axis. */
import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'

/** Samples of one kind. */
export interface Series {
  readonly label: string
  readonly values: readonly number[]
}

/** What is drawn. */
export interface Distribution {
  readonly title: string
  /** Of the values, as the axis names it: `us`, `requests/s`. */
  readonly unit: string
  readonly series: readonly Series[]
}

/** A bar: so many percent of the series lie in `[from, to)`. */
export interface Bar {
  readonly label: string
  readonly from: number
  readonly to: number
  readonly percent: number
}

const barsMax = 60
/** Values that span more than this are drawn on a logarithmic axis. */
const linearSpanMax = 20

/** The bars of all series, over the same intervals. Values are greater than zero; the upper end of the last interval counts to it. */
export function barsOf(series: readonly Series[]): { readonly bars: readonly Bar[]; readonly isLog: boolean } {
  let least = Number.POSITIVE_INFINITY
  let greatest = 0
  for (const { values } of series) {
    for (const value of values) {
      least = Math.min(least, value)
      greatest = Math.max(greatest, value)
    }
  }
  const isLog = greatest / least > linearSpanMax
  const scale = isLog ? Math.log : (value: number) => value
  const back = isLog ? Math.exp : (value: number) => value
  const start = scale(least)
  const width = (scale(greatest) - start) / barsMax || 1
  const bars = series.flatMap(({ label, values }) => {
    const counts = new Array<number>(barsMax).fill(0)
    for (const value of values) counts[Math.min(barsMax - 1, Math.floor((scale(value) - start) / width))]!++
    return counts.flatMap((count, index) => {
      if (count === 0) return []
      const percent = (100 * count) / values.length
      return [{ label, from: back(start + index * width), to: back(start + (index + 1) * width), percent }]
    })
  })
  return { bars, isLog }
}

/** Draws them. */
export async function histogramSvg({ title, unit, series }: Distribution): Promise<string> {
  const { bars, isLog } = barsOf(series)
  const spec: TopLevelSpec = {
    title,
    background: 'white',
    data: { values: bars as Bar[] },
    facet: {
      row: { field: 'label', type: 'nominal', title: null, sort: null, header: { labelAngle: 0, labelAlign: 'left' } },
    },
    spec: {
      width: 560,
      height: 80,
      mark: 'bar',
      encoding: {
        x: {
          field: 'from',
          type: 'quantitative',
          title: unit,
          scale: isLog ? { type: 'log', nice: false } : { type: 'linear', zero: false, nice: false },
          axis: { format: '~s', grid: false, labelOverlap: true },
        },
        x2: { field: 'to' },
        y: { field: 'percent', type: 'quantitative', title: '% of samples', axis: { tickCount: 3 } },
        y2: { datum: 0 },
      },
    },
    resolve: { scale: { y: 'independent' } },
  }
  const view = new View(parse(compile(spec).spec), { renderer: 'none' })
  try {
    return await view.toSVG()
  } finally {
    view.finalize()
  }
}
