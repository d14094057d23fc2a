/** What every measured receiver does with a message: finds the actor by address and takes one step of a flat chart. */

/** An event of about 90 bytes, as a probe would send them. */
export interface Sample {
  readonly type: 'probe.sample'
  readonly sequence: number
  readonly rttMs: number
  readonly peer: string
  readonly payload: string
}

/** An instance of a chart with one guard and one mutating action, in the form that the chart compiler generates. */
export class SampleActor {
  configuration = 0
  samples = 0
  slow = 0

  step(event: Sample): void {
    switch (this.configuration) {
      case 0:
        if (event.rttMs > 100) {
          this.slow++
          this.configuration = 1
        }
        this.samples++
        return
      default:
        if (event.rttMs <= 100) this.configuration = 0
        this.samples++
    }
  }
}

/** Actors by address, 64 of them. */
export function createActors(): Map<string, SampleActor> {
  return new Map(addresses.map(address => [address, new SampleActor()]))
}

/** Where the measured messages go. */
export const addresses = Array.from({ length: 64 }, (_, index) => `health-probe-${index}`)

const payload = 'x'.repeat(32)

/** The event of that number. */
export function sample(sequence: number): Sample {
  return { type: 'probe.sample', sequence, rttMs: (sequence * 7) % 103, peer: addresses[(sequence * 5) & 63]!, payload }
}
