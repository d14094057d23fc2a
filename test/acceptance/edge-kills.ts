/**
 * Kills workers, 400 unless told otherwise, under load and accounts for every message: `node test/acceptance/edge-kills.ts [kills] [seed]`.
 * Prints the sums and ends with code 1 when a single count does not add up.
 */
import { runKills } from '../supervisor/router/edge/kills/arena.ts'

const kills = Number(process.argv[2] ?? 400)
const seed = Number(process.argv[3] ?? Math.floor(Math.random() * 2 ** 32))
const { wrong, ...sums } = await runKills(kills, seed)
console.log(JSON.stringify({ seed, ...sums, wrong: wrong.length }, null, 2))
for (const statement of wrong.slice(0, 20)) console.error(statement)
if (wrong.length > 0) process.exitCode = 1
