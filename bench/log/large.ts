/** Large messages, fetched over a few connections that are kept full. */
import type { Socket } from 'node:net'
import { encodeLogBatch, encodeLogRequest, logOperation } from '../../src/messages/index.ts'
import { open } from '../events/tcp-client.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { answerBytes, newPartition, pump } from './pump.ts'
import { ServedLog } from './served-log.ts'

const valueBytes = 65_536
const messages = 1_024
const fetchMessages = 15
const connections = 4
const ahead = 4
const limit = atLeast(1, 'GB/s')

/** Stores the messages. */
async function store(port: number, partitionId: number): Promise<void> {
  const socket = await open(port)
  const message = { timestampMs: 0, key: null, value: Buffer.alloc(valueBytes, 7) }
  const batch = encodeLogBatch(Array(16).fill(message))
  const block = encodeLogRequest(logOperation.produce, 1, { partitionId, acknowledgement: 'committed', batch })
  await pump(socket, { block, requests: 1, answerBytes: answerBytes.produce }, messages / 16, 2)
  socket.destroy()
}

/** Fetches so many times, some of them before the first is answered; resolves with the bytes of the answers. */
function fetchAll(socket: Socket, partitionId: number, fetches: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let answered = 0
    let total = 0
    /** Bytes that are missing of the answer at hand; its head is read when nothing is. */
    let missing = 0
    let head = Buffer.alloc(0)
    const ask = (): void => {
      const offset = (sent++ * fetchMessages) % (messages - fetchMessages)
      const maxBytes = fetchMessages * (valueBytes + 64)
      socket.write(encodeLogRequest(logOperation.fetch, sent, { partitionId, offset, maxBytes }))
    }
    const onClose = (): void => reject(new Error('the server closed the connection'))
    const take = (chunk: Buffer): void => {
      total += chunk.length
      let at = 0
      while (at < chunk.length) {
        if (missing === 0) {
          const wanted = 13 - head.length
          head = Buffer.concat([head, chunk.subarray(at, at + wanted)])
          at = Math.min(chunk.length, at + wanted)
          if (head.length < 13) return
          if (head[12] !== 0) reject(new Error(`status ${head[12]}`))
          missing = head.readUInt32BE(0) - 9
          head = Buffer.alloc(0)
        }
        const bytes = Math.min(missing, chunk.length - at)
        missing -= bytes
        at += bytes
        if (missing > 0) return
        if (sent < fetches) ask()
        if (++answered === fetches) {
          socket.off('data', take).off('close', onClose)
          resolve(total)
        }
      }
    }
    socket.on('data', take).on('close', onClose)
    while (sent < Math.min(ahead, fetches)) ask()
  })
}

/** Measures. */
export async function measureLarge({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 9
  const fetches = quick ? 300 : 1_000
  await using served = await ServedLog.start('two')
  const partitionId = await newPartition(served.port, 'large')
  await store(served.port, partitionId)
  const rates: number[] = []
  for (let round = -1; round < rounds; round++) {
    const sockets = await Promise.all(Array.from({ length: connections }, () => open(served.port)))
    const fromMs = performance.now()
    const bytes = await Promise.all(sockets.map(socket => fetchAll(socket, partitionId, fetches)))
    const rate = bytes.reduce((sum, each) => sum + each, 0) / (performance.now() - fromMs) / 1e6
    for (const socket of sockets) socket.destroy()
    if (round < 0) continue
    rates.push(rate)
    say(`large ${round + 1}/${rounds}: ${rate.toFixed(2)} GB/s`)
  }
  const value = spread(rates)
  return [
    {
      work: `Fetch of messages of 64 KiB, ${fetchMessages} a fetch, two shards`,
      inFlight: `${connections} connections x ${ahead}`,
      figure: `${median(rates).toFixed(2)} GB/s`,
      budget: limit.text,
      pass: limit.holds(value.value),
      ...value,
    },
  ]
}
