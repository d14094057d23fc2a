/** The answers to messages that were published: one subscription for all of an engine. */
import { createInbox, type Subscription } from '@nats-io/transport-node'
import type { JetstreamConnection } from './connection.ts'
import { type PublishAnswer, readPublishAnswer } from './publish-answer.ts'

type OnAnswer = (answer: PublishAnswer) => void

/** Gives out subjects to be answered on. */
export class PublishAnswers {
  readonly #inbox = createInbox()
  readonly #subscription: Subscription
  readonly #waiting = new Map<string, OnAnswer>()
  #next = 0

  constructor(connection: JetstreamConnection) {
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, message => {
      const onAnswer = this.#waiting.get(message.subject)
      if (onAnswer === undefined) return
      this.#waiting.delete(message.subject)
      onAnswer(readPublishAnswer(message))
    })
  }

  /** A subject; `onAnswer` is called with what comes on it, once. */
  expect(onAnswer: OnAnswer): string {
    const subject = `${this.#inbox}.${(this.#next++).toString(36)}`
    this.#waiting.set(subject, onAnswer)
    return subject
  }

  /** What comes on that subject is thrown away. */
  forget(subject: string): void {
    this.#waiting.delete(subject)
  }

  close(): void {
    this.#subscription.unsubscribe()
    this.#waiting.clear()
  }
}
