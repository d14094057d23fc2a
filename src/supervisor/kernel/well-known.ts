/** The addresses that every kernel has, and how addresses lie below each other. */

/** Stands above the supervisors of a kernel that have none above them; it is no actor. */
export const topAddress = '$top'

/** True for the supervisors that a system is made of: only kernels talk to them. */
export function isReserved(address: string): boolean {
  return address.startsWith('$')
}

/** Whether an address is `top` or below it. */
export function isUnder(address: string, top: string): boolean {
  return address.startsWith(top) && (address.length === top.length || address[top.length] === '/')
}

/** The supervisor of top-level actors on each thread; its children are addressed by their own id. */
export const actorsSupervisor = '$actors'
