/** What JetStream answers to a message that it was to store. */
import type { Msg } from '@nats-io/transport-node'
import { type PublishFault, unheard } from './jetstream-faults.ts'

/** Where it is, or why it is not. */
export interface PublishAnswer {
  /** Sequence in the stream; 0 for what was refused. */
  readonly seq: number
  /** It was there already. */
  readonly duplicate?: true
  readonly error?: PublishFault
}

/** @see PublishAnswer */
export function readPublishAnswer(message: Msg): PublishAnswer {
  return message.headers?.code === 503 ? { seq: 0, error: unheard } : message.json<PublishAnswer>()
}
