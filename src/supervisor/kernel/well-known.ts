/** The addresses that every kernel has. */

/** Stands above the supervisors of a kernel that have none above them; it is no actor. */
export const topAddress = '$top'

/** The supervisor of top-level actors on each thread; its children are addressed by their own id. */
export const actorsSupervisor = '$actors'
