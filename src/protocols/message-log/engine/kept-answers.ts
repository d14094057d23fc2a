/**
 * The answers that are kept of one producer and one partition: what makes a repeated append harmless.
 *
 * ```
 * stored form, for each answer, in order of sequence:   sequence u32 | stored u32 | baseOffset u64
 * ```
 */
import { type AppendResult, keptAnswersMax } from './contract.ts'

/** The answer to one append. */
export interface KeptAnswer extends AppendResult {
  readonly sequence: number
}

const answerBytes = 16

/** The last answers of one producer and partition, by sequence. */
export class KeptAnswers {
  /** In order of sequence. */
  readonly #answers: KeptAnswer[]

  constructor(answers: KeptAnswer[] = []) {
    this.#answers = answers
  }

  /**
   * What is known of a sequence: its answer; `new`, it was never appended; `expired`, it may have been, but so many later
   * ones came that its answer would not be here any more.
   */
  find(sequence: number): KeptAnswer | 'new' | 'expired' {
    const answers = this.#answers
    const last = answers.at(-1)
    if (last === undefined || sequence > last.sequence) return 'new'
    const found = answers.find(answer => answer.sequence === sequence)
    if (found !== undefined) return found
    return answers.length === keptAnswersMax && sequence < answers[0]!.sequence ? 'expired' : 'new'
  }

  /** Keeps the answer to a sequence that is `new`, and lets go of the oldest if there are too many. */
  keep(answer: KeptAnswer): void {
    const answers = this.#answers
    const at = answers.findLastIndex(({ sequence }) => sequence < answer.sequence) + 1
    answers.splice(at, 0, answer)
    if (answers.length > keptAnswersMax) answers.shift()
  }

  /** In order of sequence. */
  [Symbol.iterator](): Iterator<KeptAnswer> {
    return this.#answers.values()
  }

  /** The stored form. */
  encode(): Uint8Array {
    const bytes = Buffer.allocUnsafe(this.#answers.length * answerBytes)
    let at = 0
    for (const { sequence, stored, baseOffset } of this.#answers) {
      bytes.writeUInt32BE(sequence, at)
      bytes.writeUInt32BE(stored, at + 4)
      bytes.writeBigUInt64BE(BigInt(baseOffset), at + 8)
      at += answerBytes
    }
    return bytes
  }

  /** Reads the stored form. */
  static decode(stored: Uint8Array): KeptAnswers {
    const bytes = Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
    const answers: KeptAnswer[] = []
    for (let at = 0; at + answerBytes <= bytes.length; at += answerBytes) {
      const baseOffset = Number(bytes.readBigUInt64BE(at + 8))
      answers.push({ sequence: bytes.readUInt32BE(at), stored: bytes.readUInt32BE(at + 4), baseOffset })
    }
    return new KeptAnswers(answers)
  }
}
