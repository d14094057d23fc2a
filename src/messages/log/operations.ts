/** The operations of the log protocol, and the registry by which a server finds the one that a request is for. */
import { StarfishError } from '../errors.ts'
import { createTopicV1 } from './create-topic-v1.ts'
import { deleteTopicV1 } from './delete-topic-v1.ts'
import { fetchV1 } from './fetch-v1.ts'
import { getOffsetV1 } from './get-offset-v1.ts'
import { healthCheckV1 } from './health-check-v1.ts'
import { listTopicsV1 } from './list-topics-v1.ts'
import type { AnyLogOperation } from './operation.ts'
import { produceV1 } from './produce-v1.ts'

/** The operations by name, in the newest version that the package has. */
export const logOperation = {
  produce: produceV1,
  fetch: fetchV1,
  getOffset: getOffsetV1,
  createTopic: createTopicV1,
  deleteTopic: deleteTopicV1,
  listTopics: listTopicsV1,
  healthCheck: healthCheckV1,
} as const

/** Types and versions are u8. */
const codes = 256

/** Operations by type and version: several versions of a type stand side by side. */
export class LogOperations implements Iterable<AnyLogOperation> {
  /** Of a type, by its version. */
  readonly #byType: (AnyLogOperation | undefined)[][] = Array.from({ length: codes }, () => [])

  /** `BAD_CONFIG` for two of one type and version. */
  constructor(operations: Iterable<AnyLogOperation>) {
    for (const operation of operations) {
      const { name, type, version } = operation
      if (this.find(type, version) !== undefined) {
        throw new StarfishError('BAD_CONFIG', `${name}: there is an operation of type ${type} in version ${version}`, {
          details: { name, type, version },
        })
      }
      this.#byType[type]![version] = operation
    }
  }

  /** Undefined for a type, or a version of it, that nobody knows. */
  find(type: number, version: number): AnyLogOperation | undefined {
    return this.#byType[type]![version]
  }

  [Symbol.iterator](): Iterator<AnyLogOperation> {
    return this.#byType
      .flat()
      .filter(operation => operation !== undefined)
      .values()
  }
}

/** All operations of version 1. */
export const logOperationsV1 = new LogOperations(Object.values(logOperation))
