/**
 * The small parent of a node process: starts it, listens to its beats, and does what {@link decideHeart} says.
 *
 *     terminal, npm, systemd                    (session and process group of their own)
 *        | signals        heart  --- spawn, signals, SIGKILL -------------->  node
 *        '--------------> (here) <-- fd 3: beats, ready --------------------  main thread
 *                                --- fd 4: says nothing, closes at death -->  lifeline thread -> SIGKILL
 *
 * The node has a session of its own, so that the terminal's signals reach this process only and are passed on once.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readThreadTime } from '../supervisor/shard/thread-time.ts'
import type { WatchdogSample } from '../supervisor/shard/watchdog-decision.ts'
import {
  beginHeart,
  decideHeart,
  type HeartAct,
  type HeartEvent,
  type HeartLimits,
  type HeartState,
  type HeartStep,
  type PassedSignal,
  passedSignals,
} from './decision.ts'
import { type HeartMessage, heartVariable, lifelineFd } from './node-side.ts'

/** What a heart is made of. */
export interface HeartOptions {
  /** Arguments to this Node.js that make the node: options, script, its arguments. */
  readonly args: readonly string[]
  readonly limits: HeartLimits
}

/** Keeps a node running until it ends for good; settles with the exit code to end with. */
export function runHeart(options: HeartOptions): Promise<number> {
  return new Promise(resolve => new Heart(options, resolve))
}

class Heart {
  readonly #options: HeartOptions
  readonly #end: (code: number) => void
  readonly #looking: NodeJS.Timeout
  readonly #onSignal = (signal: NodeJS.Signals) =>
    this.#take({ type: 'signal.received', signal: signal as PassedSignal, atMs: performance.now() })
  #state: HeartState
  #child: ChildProcess | undefined
  #beats = 0
  #said = Promise.resolve()

  constructor(options: HeartOptions, end: (code: number) => void) {
    this.#options = options
    this.#end = end
    for (const signal of passedSignals) process.on(signal, this.#onSignal)
    this.#looking = setInterval(() => this.#look(), options.limits.beatMs)
    const first = beginHeart()
    this.#state = first.state
    this.#enter(first)
  }

  #take(event: HeartEvent): void {
    this.#enter(decideHeart(this.#state, event, this.#options.limits))
  }

  #enter({ state, acts }: HeartStep): void {
    this.#state = state
    for (const act of acts) this.#act(act)
  }

  #act(act: HeartAct): void {
    switch (act.type) {
      case 'node.spawn':
        this.#spawn()
        break
      case 'node.signal':
        this.#child?.kill(act.signal)
        break
      case 'node.kill':
        killGroup(this.#child)
        break
      case 'backoff.wait':
        setTimeout(() => this.#take({ type: 'backoff.passed' }), act.delayMs)
        break
      case 'grace.wait':
        setTimeout(() => this.#take({ type: 'grace.passed' }), act.delayMs).unref()
        break
      case 'heart.say':
        this.#said = this.#said.then(() => say(act.text, act.facts))
        break
      case 'heart.end':
        this.#finish(act.code)
    }
  }

  #spawn(): void {
    const child = spawn(process.execPath, this.#options.args, {
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
      env: { ...process.env, [heartVariable]: '1' },
    })
    this.#child = child
    // Only its closing matters, and what the dying node does to it does not.
    child.stdio[lifelineFd]?.on('error', () => {})
    child.on('message', (message: HeartMessage) => this.#told(message))
    child.on('exit', (code, signal) => this.#ended({ code, signal }))
    child.on('error', () => child.pid === undefined && this.#ended({ code: null, signal: null }))
    this.#look()
  }

  #told(message: HeartMessage): void {
    if (message.type === 'heart.beat') this.#beats++
    if (message.type === 'heart.ready') this.#take({ type: 'node.ready', atMs: performance.now() })
  }

  #ended(end: { code: number | null; signal: NodeJS.Signals | null }): void {
    this.#child = undefined
    const event: HeartEvent = { type: 'node.ended', end, atMs: performance.now(), random: Math.random() }
    // A turn later: what the node said last, that it was ready perhaps, may not have been read yet.
    setImmediate(() => setImmediate(() => this.#take(event)))
  }

  #look(): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    const sample: WatchdogSample = {
      atMs: performance.now(),
      ticks: this.#beats,
      held: false,
      thread: readThreadTime(pid, pid),
      reportedCpuMs: undefined,
    }
    this.#take({ type: 'node.sampled', sample })
  }

  #finish(code: number): void {
    clearInterval(this.#looking)
    for (const signal of passedSignals) process.off(signal, this.#onSignal)
    void this.#said.then(() => this.#end(code))
  }
}

/** Loads the logger for the first words only: most hearts never say any, and it would double the size of this process. */
async function say(text: string, facts: object): Promise<void> {
  const { createLogger } = await import('../logger.ts')
  createLogger().child({ name: 'heart' }).warn(facts, text)
}

/** A detached child leads a group of its own, in which all that it started ends with it. */
function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It ended in this moment.
  }
}
