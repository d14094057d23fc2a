/**
 * Kept answers as a header carries them: a text a quarter as long as the stored form, since each batch of a producer has one.
 *
 * ```
 * base64 of, for each answer in order of sequence:   sequence | baseOffset | stored
 * ```
 * Sequence and offset are differences to the answer before, the offset's zigzag; all are LEB128 varints.
 * Offsets are below 2^52.
 */
import { type KeptAnswer, KeptAnswers } from '../kept-answers.ts'

/** Answers as text. */
export function packAnswers(answers: Iterable<KeptAnswer>): string {
  const bytes: number[] = []
  let before = { sequence: 0, baseOffset: 0 }
  for (const answer of answers) {
    writeVarint(bytes, answer.sequence - before.sequence)
    const step = answer.baseOffset - before.baseOffset
    writeVarint(bytes, step < 0 ? -2 * step - 1 : 2 * step)
    writeVarint(bytes, answer.stored)
    before = answer
  }
  return Buffer.from(bytes).toString('base64')
}

/** Reads such a text; what is cut off is left out. */
export function unpackAnswers(text: string): KeptAnswers {
  const bytes = Buffer.from(text, 'base64')
  const numbers: number[] = []
  let number = 0
  let scale = 1
  for (const byte of bytes) {
    number += (byte & 0x7f) * scale
    scale *= 128
    if (byte < 0x80) {
      numbers.push(number)
      number = 0
      scale = 1
    }
  }
  const answers: KeptAnswer[] = []
  let sequence = 0
  let baseOffset = 0
  for (let at = 0; at + 2 < numbers.length; at += 3) {
    const [first, step, stored] = numbers.slice(at, at + 3) as [number, number, number]
    sequence += first
    baseOffset += step % 2 === 0 ? step / 2 : -(step + 1) / 2
    answers.push({ sequence, baseOffset, stored })
  }
  return new KeptAnswers(answers)
}

/** Of a number up to 2^53 - 1. */
function writeVarint(bytes: number[], value: number): void {
  let left = value
  while (left >= 128) {
    bytes.push((left % 128) + 128)
    left = Math.floor(left / 128)
  }
  bytes.push(left)
}
