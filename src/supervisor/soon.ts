/** Work that runs before the thread waits for I/O, without what `queueMicrotask` costs beside the microtask itself. */

const settled = Promise.resolve()

/** Runs `work` as a microtask, in the order of the calls. It must not throw: nobody would catch it. */
export function soon(work: () => void): void {
  void settled.then(work)
}
