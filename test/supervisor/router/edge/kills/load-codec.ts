/** A binary codec for half of the load. */
import type { EventCodec, NamedCodec } from '../../../../../src/messages/thread/event-codec.ts'

/** Events `{ type: 'load.coded', number }`. */
export const loadCodec: EventCodec = {
  type: 'load.coded',
  encode: (event, writer) => writer.u32((event as unknown as { number: number }).number),
  decode: reader => ({ type: 'load.coded', number: reader.u32() }) as { type: string },
}

/** As a registry takes it. */
export const namedLoadCodec: NamedCodec = { name: loadCodec.type, codec: loadCodec }
