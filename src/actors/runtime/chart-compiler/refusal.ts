/** How the compiler says no. */
import { StarfishError } from '../../../messages/errors.ts'

/**
 * The error for a chart that cannot be compiled.
 *
 * @param chart id of the machine
 * @param path the state, as `machine.parent.child`
 * @param feature what of it cannot be compiled
 */
export function notCompilable(chart: string, path: string, feature: string): StarfishError {
  return new StarfishError('CHART_NOT_COMPILABLE', `chart '${chart}' cannot be compiled: ${path} uses ${feature}`, {
    details: { chart, path, feature },
  })
}
