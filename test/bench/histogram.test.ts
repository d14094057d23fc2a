import t from 'tap'
import { barsOf, histogramSvg } from '../../bench/histogram.ts'

t.test('the bars of a series are all of its samples, in intervals that the series share', async t => {
  const narrow = Array.from({ length: 100 }, (_, n) => 10 + n / 10)
  const { bars, isLog } = barsOf([
    { label: 'a', values: narrow },
    { label: 'b', values: [19.9] },
  ])
  t.notOk(isLog)
  const percent = (label: string) => bars.filter(bar => bar.label === label).reduce((sum, bar) => sum + bar.percent, 0)
  t.ok(Math.abs(percent('a') - 100) < 1e-9)
  t.match(
    bars.filter(({ label }) => label === 'b'),
    [{ percent: 100 }],
  )
  const last = bars.findLast(({ label }) => label === 'a')
  t.equal(bars.find(({ label }) => label === 'b')!.from, last!.from, 'the greatest counts to the last interval')
})

t.test('samples over orders of magnitude are drawn on a logarithmic axis, equal ones at all', async t => {
  t.ok(barsOf([{ label: 'a', values: [1, 10, 1_000] }]).isLog)
  t.match(barsOf([{ label: 'a', values: [5, 5] }]), { isLog: false, bars: [{ percent: 100 }] })
})

t.test('what is drawn is SVG that names its title, its axis and its series', async t => {
  const values = Array.from({ length: 1_000 }, (_, n) => 1 + n)
  const svg = await histogramSvg({ title: 'echo', unit: 'us', series: [{ label: 'bare', values }] })
  t.match(svg, /^<svg/)
  for (const text of ['echo', 'us', 'bare']) t.match(svg, `>${text}<`)
})
