/** The measured event in binary. */
import type { EventCodec } from '../../src/messages/thread/event-codec.ts'
import type { Sample } from './actor.ts'

/** As a definition takes it. */
export const sampleCodec: EventCodec<Sample> = {
  type: 'probe.sample',
  encode(event, writer) {
    writer.u32(event.sequence)
    writer.f64(event.rttMs)
    writer.text(event.peer)
    writer.text(event.payload)
  },
  decode: reader => ({
    type: 'probe.sample',
    sequence: reader.u32(),
    rttMs: reader.f64(),
    peer: reader.text(),
    payload: reader.text(),
  }),
}
