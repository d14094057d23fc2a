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

/** 32 characters each. No text of a payload comes again before all others have: nothing is gained by knowing it. */
const payloads = Array.from({ length: 16_384 }, (_, index) => {
  const bytes = Buffer.alloc(16)
  for (let at = 0; at < 16; at += 4) bytes.writeInt32LE(Math.imul(index * 4 + at + 1, 0x9e3779b1), at)
  return bytes.toString('hex')
})

/** The event of that number. */
export function sample(sequence: number): Sample {
  const peer = addresses[(sequence * 5) & 63]!
  const payload = payloads[sequence & 16_383]!
  return { type: 'probe.sample', sequence, rttMs: (sequence * 7) % 103, peer, payload }
}
