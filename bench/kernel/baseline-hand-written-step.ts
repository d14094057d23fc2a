/** The floor: the guard and action of the mutating chart as one would write them by hand. */
import { measure, report } from './measure.ts'

interface Instance {
  state: 'open' | 'closed'
  bytes: number
  chunks: number
  readonly limit: number
}

function step(instance: Instance, event: { readonly type: string; readonly bytes: number }): void {
  switch (instance.state) {
    case 'open':
      if (event.type === 'chunk') {
        if (event.bytes < instance.limit) {
          instance.bytes += event.bytes
          instance.chunks += 1
        }
      } else if (event.type === 'flip') instance.state = 'closed'
      break
    case 'closed':
      if (event.type === 'flip') instance.state = 'open'
  }
}

const instance: Instance = { state: 'open', bytes: 0, chunks: 0, limit: 1_000 }
const chunk = { type: 'chunk', bytes: 64 }

report([
  measure('a hand-written switch', 50_000_000, count => {
    for (let at = 0; at < count; at++) step(instance, chunk)
  }),
])
