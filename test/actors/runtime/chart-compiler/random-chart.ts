/**
 * Charts by seed, over every feature the compiler supports. Guards, delays and outputs are pure functions of context and
 * event; actions mutate the record or replace it; some throw.
 */
import { type AnyEventObject, type AnyStateMachine, assign, createMachine, raise } from 'xstate'
import type { Random } from '../../../../src/actors/runtime/clock.ts'
import type { Desk } from '../chart-runs.ts'
import { copyOf } from '../recorded-chart.ts'

interface Context {
  n: number
  hits: number
  last: string
  seed: number
}

interface Args {
  readonly context: Context
  readonly event: AnyEventObject
}

interface RandomState {
  readonly path: string
  readonly id: string
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final'
  readonly states: Readonly<Record<string, RandomState>>
}

const eventTypes = ['a', 'b', 'c', 'd']
const raisedTypes = ['r', 's', 'd']

/** What a chart is walked with. */
export interface RandomChart {
  readonly machine: AnyStateMachine
  readonly input: () => { readonly seed: number }
  readonly events: readonly ((random: Random) => AnyEventObject)[]
  readonly features: ReadonlySet<string>
}

/** A chart made of the numbers of `random`; its actions write into the open journal of `desk`. */
export function randomChart(random: Random, desk: Desk): RandomChart {
  const seed = Math.floor(random() * 1_000)
  const writer = new ChartWriter(random, desk)
  const machine = writer.machine()
  const events = [...eventTypes, 'unheard'].map(type => (walk: Random) => ({ type, v: Math.floor(walk() * 6) }))
  return { machine, input: () => ({ seed }), events, features: writer.features }
}

class ChartWriter {
  readonly features = new Set<string>()
  readonly #random: Random
  readonly #desk: Desk
  #states: RandomState[] = []
  #names = 0
  readonly #mayThrow: boolean

  constructor(random: Random, desk: Desk) {
    this.#random = random
    this.#desk = desk
    this.#mayThrow = this.#chance(0.05)
  }

  machine(): AnyStateMachine {
    const root = this.#tree('', 'm', 0)
    const config = {
      ...this.#state(root),
      id: 'm',
      context: this.#uses('context from input', 0.8)
        ? ({ input }: { input: { seed: number } }) => ({ n: input.seed % 5, hits: 0, last: '', seed: input.seed })
        : { n: 1, hits: 0, last: '', seed: 3 },
      ...(this.#uses('output of the machine', 0.5) ? { output: this.#output() } : {}),
    }
    return createMachine(config as never, this.#implementations() as never) as unknown as AnyStateMachine
  }

  #implementations(): object {
    const note = this.#noting('note')
    return {
      actions: {
        note,
        mark: this.#noting('mark'),
        bump: (args: Args) => {
          note(args)
          args.context.hits += 1
        },
        add: assign(({ context }: Args, params: unknown) => ({ n: context.n + numberIn(params) }) as never),
        set: assign({
          last: ({ event }: Args) => event.type,
          n: ({ context }: Args) => context.n + 1,
          seed: 5,
        } as never),
        again: raise({ type: 'r', v: 1 } as never),
      },
      guards: {
        even: ({ context }: Args) => context.n % 2 === 0,
        few: ({ context }: Args) => context.hits < 4,
        small: ({ event }: Args, params: unknown) => numberIn(event['v']) < numberIn(params),
        alias: 'even',
        aliasWithParams: { type: 'small', params: { by: 3 } },
      },
      delays: { fixed: 35, computed: ({ context, event }: Args) => 10 + (context.n % 7) * 10 + event.type.length },
    }
  }

  #tree(path: string, key: string, depth: number): RandomState {
    const type = this.#type(depth)
    const states: Record<string, RandomState> = {}
    const id = this.#chance(0.2) && depth > 0 ? `id${this.#names++}` : ['m', path].filter(Boolean).join('.')
    if (type === 'compound' || type === 'parallel') {
      const count = type === 'parallel' ? 2 : 2 + this.#below(depth === 0 ? 2 : 1.2)
      for (let at = 0; at < count; at++) {
        const name = `${key === 'm' ? 's' : key}${at}`
        states[name] = this.#tree(path === '' ? name : `${path}.${name}`, name, depth + 1)
      }
    }
    const state = { path, id, type, states }
    this.#states.push(state)
    return state
  }

  #type(depth: number): RandomState['type'] {
    const chance = this.#random()
    if (depth === 0) return chance < 0.2 ? 'parallel' : chance < 0.97 ? 'compound' : 'atomic'
    if (depth < 3 && chance < 0.2) return 'compound'
    if (depth < 2 && chance < 0.3) return 'parallel'
    return chance > 0.86 ? 'final' : 'atomic'
  }

  #state(state: RandomState): object {
    const keys = Object.keys(state.states)
    const config: Record<string, unknown> = { entry: this.#actions(0.4), exit: this.#actions(0.4) }
    this.features.add(state.type)
    if (state.type === 'parallel' || state.type === 'final') config['type'] = state.type
    if (state.id.startsWith('id') && this.#uses('id', 1)) config['id'] = state.id
    if (state.type === 'final' && this.#uses('output of a state', 0.5)) config['output'] = this.#output()
    if (state.type === 'final') return config
    if (keys.length > 0) {
      if (state.type === 'compound') config['initial'] = this.#initial(this.#pick(keys))
      config['states'] = Object.fromEntries(keys.map(key => [key, this.#state(state.states[key]!)]))
      if (this.#uses('onDone', 0.5)) config['onDone'] = this.#transition(state, 0.2)
    }
    config['on'] = this.#on(state)
    if (this.#uses('after', 0.25)) config['after'] = this.#after(state)
    if (this.#uses('always', 0.12)) config['always'] = this.#always(state)
    return config
  }

  #initial(key: string): unknown {
    return this.#uses('initial with actions', 0.3) ? { target: key, actions: this.#actions(1) } : key
  }

  #on(state: RandomState): object {
    const on: Record<string, unknown> = {}
    for (const type of [...eventTypes, 'r', 's']) if (this.#chance(0.3)) on[type] = this.#transitions(state)
    if (this.#uses('wildcard', 0.1)) on['*'] = this.#transitions(state)
    if (this.#uses('forbidden event', 0.05)) on[this.#pick(eventTypes)] = undefined
    return on
  }

  #after(state: RandomState): object {
    const delay = () => this.#noted(this.#pick(['10', '25', '60', 'fixed', 'computed']))
    const after: Record<string, unknown> = { [delay()]: this.#transitions(state) }
    if (this.#chance(0.3)) after[delay()] = this.#transition(state, 0.5)
    return after
  }

  #always(state: RandomState): unknown {
    const guarded = () => ({ ...this.#transition(state, 0), guard: this.#guard() })
    return this.#chance(0.2) ? [guarded(), guarded()] : guarded()
  }

  #transitions(state: RandomState): unknown {
    if (this.#chance(0.7)) return this.#transition(state, 0.35)
    return [this.#transition(state, 1), this.#transition(state, 0.3)]
  }

  #transition(state: RandomState, guardChance: number): Record<string, unknown> {
    const transition: Record<string, unknown> = { actions: this.#actions(0.5) }
    if (this.#uses('guard', guardChance)) transition['guard'] = this.#guard()
    if (this.#chance(0.75)) transition['target'] = this.#target(state)
    else this.features.add('targetless')
    if (this.#uses('reenter', 0.2)) transition['reenter'] = this.#chance(0.8)
    return transition
  }

  #target(state: RandomState): unknown {
    const children = Object.keys(state.states)
    if (children.length > 0 && this.#chance(0.4)) return `.${this.#pick(children)}`
    const parallels = this.#states.filter(({ type }) => type === 'parallel')
    if (parallels.length > 0 && this.#uses('several targets', 0.15)) {
      const regions = Object.values(this.#pick(parallels).states)
      return regions.map(region => `#${this.#pick(this.#within(region)).id}`)
    }
    const others = this.#states.filter(({ path }) => path !== '' || this.#chance(0.1))
    return `#${this.#pick(others.length > 0 ? others : this.#states).id}`
  }

  #within(state: RandomState): RandomState[] {
    return [state, ...Object.values(state.states).flatMap(child => this.#within(child))]
  }

  #guard(): unknown {
    const v = this.#below(6)
    return this.#pick([
      'even',
      'few',
      'alias',
      { type: 'aliasWithParams' },
      { type: 'small', params: { by: v } },
      { type: 'small', params: ({ context }: Args) => ({ by: context.n % 6 }) },
      ({ context, event }: Args) => (context.n + numberIn(event['v']) + v) % 3 === 0,
    ])
  }

  #actions(chance: number): unknown[] {
    if (!this.#chance(chance)) return []
    return Array.from({ length: 1 + this.#below(2) }, () => this.#action())
  }

  #action(): unknown {
    const name = `inline${this.#names++}`
    if (this.#mayThrow && this.#uses('action that throws', 0.1)) return throwing(name)
    return this.#pick([
      'note',
      'bump',
      'set',
      'notImplemented',
      { type: 'mark', params: { tag: name } },
      { type: 'mark', params: ({ context, event }: Args) => ({ tag: `${context.n} ${event.type}` }) },
      { type: 'add', params: { by: 2 } },
      { type: 'add', params: ({ event }: Args) => ({ by: numberIn(event['v']) }) },
      this.#noting(name),
      assign({ n: ({ context }: Args) => context.n + 1, last: name } as never),
      assign((({ context, event }: Args) => ({ hits: context.hits + 1, last: event.type })) as never),
      this.#raise(),
    ])
  }

  /** Rarely, since charts that raise much go on for ever. */
  #raise(): unknown {
    if (!this.#uses('raise', 0.4)) return 'bump'
    return this.#chance(0.5) ? 'again' : raise({ type: this.#pick(raisedTypes), v: this.#below(4) } as never)
  }

  #noting(name: string) {
    const desk = this.#desk
    return ({ context, event }: Args, params?: unknown): void =>
      void desk.open.entries.push([name, copyOf(context), copyOf(event), params])
  }

  #output(): unknown {
    const name = `output${this.#names++}`
    if (this.#chance(0.3)) return { name }
    return ({ context, event }: Args) => ({ name, n: context.n, event: copyOf(event) })
  }

  #chance(chance: number): boolean {
    return this.#random() < chance
  }

  /** As `#chance`, noted as a feature when it comes true. */
  #uses(feature: string, chance: number): boolean {
    return this.#chance(chance) && this.#noted(feature) !== ''
  }

  #noted(feature: string): string {
    this.features.add(feature)
    return feature
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  #pick<V>(values: readonly V[]): V {
    return values[this.#below(values.length)]!
  }
}

function throwing(name: string) {
  return ({ context }: Args): void => {
    if (context.n % 3 === 0) throw new Error(`${name} threw at ${context.n}`)
  }
}

/** The number in a value or in its field `by`; 0 if there is none. */
function numberIn(value: unknown): number {
  if (typeof value === 'number') return value
  const by = (value as { readonly by?: unknown } | undefined)?.by
  return typeof by === 'number' ? by : 0
}
