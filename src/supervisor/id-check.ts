/** Ids: those that an address is made of. The address of a child is its supervisor's, a slash, and its own id. */
import { addressLengthMax } from '../messages/argument-check.ts'

/** What is wrong with the id of a supervisor's child, if anything. */
export function idFault(id: unknown): string | undefined {
  if (typeof id !== 'string' || id === '') return 'is missing, empty or no string'
  if (id.length > addressLengthMax) return tooLong(id)
  if (id.includes('/')) return `is ${JSON.stringify(id)}: a slash parts the ids in an address`
  return segmentFault(id, id)
}

/** What is wrong with the id of a top-level actor or tree, if anything: it is an address of one id or several. */
export function addressFault(id: unknown): string | undefined {
  if (typeof id !== 'string' || id === '') return 'is missing, empty or no string'
  if (id.length > addressLengthMax) return tooLong(id)
  for (const segment of id.split('/')) {
    if (segment === '') return `is ${JSON.stringify(id)}: an id between slashes is empty`
    const fault = segmentFault(id, segment)
    if (fault !== undefined) return fault
  }
  return undefined
}

function tooLong(id: string): string {
  return `is ${id.length} characters long, more than ${addressLengthMax}`
}

function segmentFault(id: string, segment: string): string | undefined {
  return segment.startsWith('$') ? `is ${JSON.stringify(id)}: ids that begin with $ are reserved` : undefined
}
