/** Appends as they cross to the thread of the owner: copied once into what is transferred, and not again. */
import type { EventCodec } from '../../../messages/thread/event-codec.ts'
import type { StoreAppendEvent } from './events.ts'

/** `incarnation u32 | batch`. */
export const storeAppendCodec: EventCodec<StoreAppendEvent> = {
  type: 'store.append',
  encode({ incarnation, batch }, writer) {
    writer.u32(incarnation)
    writer.bytes(batch)
  },
  decode: reader => ({ type: 'store.append', incarnation: reader.u32(), batch: reader.bytes() }),
}
