/** What an engine and a reader have: looked at once, when they were opened, so that nobody meets later what is missing. */
import { createFaults, show } from '../../../messages/option-faults.ts'
import type { LogEngine, LogReader } from './contract.ts'

/** A method is `needed`, or may be left out (`optional`). The compiler sees to it that none is forgotten. */
type Shape<T> = Readonly<Record<keyof T, 'needed' | 'optional'>>

const readerShape: Shape<LogReader> = {
  listTopics: 'needed',
  highWaterMark: 'needed',
  read: 'needed',
  measure: 'optional',
  release: 'optional',
  whenPast: 'needed',
  close: 'needed',
}

const engineShape: Shape<Omit<LogEngine, 'takesJoined'>> = {
  ...readerShape,
  createTopic: 'needed',
  deleteTopic: 'needed',
  append: 'needed',
  appendTo: 'optional',
  retain: 'needed',
}

/** What the opener of `name` answered, if it is an engine. @throws `BAD_CONFIG` that names all that it lacks. */
export function checkEngine(name: string, engine: LogEngine): LogEngine {
  checkShape(`what the log engine ${name} opened is no LogEngine`, engine, engineShape)
  return engine
}

/** What the opener of `name` answered, if it is a reader. @throws `BAD_CONFIG` that names all that it lacks. */
export function checkReader(name: string, reader: LogReader): LogReader {
  checkShape(`what the log engine ${name} opened is no LogReader`, reader, readerShape)
  return reader
}

function checkShape(subject: string, given: unknown, shape: Shape<object>): void {
  const faults = createFaults()
  if (typeof given !== 'object' || given === null) faults.add('', `is ${show(given)}, not an object`)
  else {
    for (const [method, need] of Object.entries(shape)) {
      const value = (given as Readonly<Record<string, unknown>>)[method]
      if (typeof value === 'function' || (need === 'optional' && value === undefined)) continue
      faults.add(method, `is ${show(value)}, not a function`)
    }
  }
  faults.throwIfAny('BAD_CONFIG', subject)
}
