/** The page of the log protocol says what the code says: layouts, types, flags, statuses, errors. */
import t from 'tap'
import { acknowledgements, encodeLogRequest, encodeLogResponse, logError } from '../../src/messages/index.ts'
import { LOG_FRAME_BYTES_MAX, logFlag, logStatus, logType } from '../../src/messages/log/codes.ts'
import type { AnyLogOperation } from '../../src/messages/log/operation.ts'
import { logOperation } from '../../src/messages/log/operations.ts'
import { logRequestAt } from '../../src/messages/log/request.ts'
import { logResponseAt } from '../../src/messages/log/response.ts'
import { readPage, tableRows } from './pages.ts'

const page = readPage('docs/log-protocol.md')

/** Name and number of each row, where the cell of the name has one as code. */
function table(heading: string, nameCell: number, numberCell: number): Record<string, number> {
  const rows = tableRows(page, heading).map(cells => {
    const [, name] = /^`(\w+)`$/.exec(cells[nameCell]!) ?? []
    return [name, Number(cells[numberCell]!.replaceAll('`', ''))] as const
  })
  return Object.fromEntries(rows.filter(([name]) => name !== undefined))
}

t.test('layouts', async t => {
  t.same(table('Request', 1, 0), logRequestAt)
  t.same(table('Response', 1, 0), logResponseAt)
  const { healthCheck } = logOperation
  const bytesOf = (line: string) => line.replaceAll(' ', '')
  const [, example = ''] = /there and back:\n\n```text\n([^`]+)```/.exec(page.text) ?? []
  t.same(example.trim().split('\n').map(bytesOf), [
    encodeLogRequest(healthCheck, 7, {}).toString('hex'),
    encodeLogResponse(healthCheck, 7, {}).toString('hex'),
  ])
})

t.test('types, statuses, errors, acknowledgements', async t => {
  t.same(table('Types', 1, 0), logType)
  t.same(table('Statuses', 1, 0), logStatus)
  t.same(table('Errors', 1, 0), logError)
  t.same(Object.keys(table('Acknowledgements', 1, 0)), acknowledgements)
  t.same(Object.values(table('Acknowledgements', 1, 0)), [0, 1, 2])
})

t.test('flags, and the operations that have them', async t => {
  t.same(table('Flags', 1, 0), logFlag)
  const told: Record<string, number> = {}
  for (const [bits = '', , name = ''] of tableRows(page, 'Flags')) {
    const operation = name.replaceAll('`', '')
    told[operation] = (told[operation] ?? 0) | Number(bits.replaceAll('`', ''))
  }
  const operations = Object.entries<AnyLogOperation>(logOperation)
  t.same(
    told,
    Object.fromEntries(operations.filter(([, { flags }]) => flags !== 0).map(([name, { flags }]) => [name, flags])),
  )
})

t.test('the limit of a frame', async t => {
  t.match(page.text, `(${LOG_FRAME_BYTES_MAX / 2 ** 20} MiB unless it is told otherwise)`)
})
