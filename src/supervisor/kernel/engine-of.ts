/**
 * The engine that a definition asks for, wired to its actor.
 */
import type { ActorRuntime } from '../../actors/runtime/actor-runtime.ts'
import { compileChart } from '../../actors/runtime/chart-compiler/compile-chart.ts'
import type { CompiledChart } from '../../actors/runtime/compiled-chart.ts'
import { createCompiledEngine } from '../../actors/runtime/compiled-engine.ts'
import type { AnyActorDefinition } from '../../actors/runtime/define-actor.ts'
import type { Engine, EngineHooks } from '../../actors/runtime/engine.ts'
import { createLiveEngine } from '../../actors/runtime/live-engine.ts'
import { bindActor } from '../../actors/runtime/runtime-actions.ts'
import type { ResolvedChildSpec } from '../child-spec.ts'
import { kernelChart } from '../kernel-charts.ts'
import { supervisorChart } from '../supervisor-machine.ts'
import type { SupervisorInput } from '../supervisor-state.ts'
import type { ActorCell } from './cell.ts'
import { createCellPort } from './cell-port.ts'
import type { Kernel } from './kernel.ts'

const compiled = new WeakMap<AnyActorDefinition, CompiledChart>()

/** Creates the engine of an incarnation; nothing runs yet. */
export function createEngine(
  kernel: Kernel,
  cell: ActorCell,
  runtime: ActorRuntime,
  spec: ResolvedChildSpec,
  restoreFrom: unknown,
): Engine {
  const { clock, random } = kernel
  const bind = (scope: object) => bindActor(scope, createCellPort(kernel, cell), runtime)
  const shared = { clock, restoreFrom, hooks: hooksOf(kernel, cell), bind }
  if (spec.kind === 'supervisor') {
    const host = kernel.createChildHost(cell)
    const input: SupervisorInput = { spec, host, clock, random }
    const machine = supervisorChart(spec)
    return createCompiledEngine({ ...shared, input, machine, chart: kernelChart(machine) as CompiledChart })
  }
  const { input } = spec
  const { machine, provide, engine } = cell.entry.definition.options
  if (engine === 'compiled') {
    return createCompiledEngine({ ...shared, input, machine, chart: compiledChartOf(cell.entry.definition) })
  }
  const provided = provide === undefined ? machine : machine.provide(provide(runtime))
  const live = createLiveEngine({ ...shared, input, machine: provided })
  if (kernel.facts.wants('action')) live.observeActions(true)
  return live
}

/** Does ahead what the first actor of a definition would wait for. Throws for a chart that cannot be compiled. */
export function prepareEngine(definition: AnyActorDefinition): void {
  if (definition.options.engine === 'compiled') compiledChartOf(definition)
}

function compiledChartOf(definition: AnyActorDefinition): CompiledChart {
  const known = compiled.get(definition)
  if (known !== undefined) return known
  const chart = compileChart(definition.options.machine) as CompiledChart
  compiled.set(definition, chart)
  return chart
}

function hooksOf(kernel: Kernel, cell: ActorCell): EngineHooks {
  return {
    ended: () => kernel.lifecycle.endByChart(cell),
    moved: () => kernel.lifecycle.moved(cell, undefined),
    action: action =>
      kernel.facts.add({ kind: 'action', address: cell.entry.address, incarnation: cell.incarnation, action }),
  }
}
