/** Large messages, fetched over a few connections that are kept full. */
import { connect } from 'node:net'
import { encodeLogBatch, encodeLogRequest, logOperation } from '../../src/messages/index.ts'
import { open } from '../events/tcp-client.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { answerBytes, newPartition, pump } from './pump.ts'
import { ServedLog } from './served-log.ts'

const valueBytes = 65_536
const messages = 1_024
const fetchMessages = 15
/** So many that both shards are sure to have some: the kernel deals them out by chance. */
const connections = 8
const ahead = 2
/** Length, request id and status of an answer. */
const headBytes = 13
const readBytes = 262_144
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

/**
 * Fetches so many times over a connection of its own, some of them before the first is answered; resolves with the bytes of the answers.
 * It reads into one buffer, since what it would cost to have a new one for each read is not the server's.
 */
function fetchAll(port: number, partitionId: number, fetches: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let answered = 0
    let total = 0
    /** Bytes that are missing of the answer at hand; its head is read when nothing is. */
    let missing = 0
    const head = Buffer.alloc(headBytes)
    let headHas = 0
    const take = (bytes: number, chunk: Uint8Array): boolean => {
      total += bytes
      let at = 0
      while (at < bytes) {
        if (missing === 0) {
          while (headHas < headBytes && at < bytes) head[headHas++] = chunk[at++]!
          if (headHas < headBytes) return true
          if (head[12] !== 0) reject(new Error(`status ${head[12]}`))
          missing = head.readUInt32BE(0) - 9
          headHas = 0
        }
        const passed = Math.min(missing, bytes - at)
        missing -= passed
        at += passed
        if (missing > 0) return true
        if (sent < fetches) ask()
        if (++answered === fetches) {
          socket.destroy()
          resolve(total)
        }
      }
      return true
    }
    const buffer = Buffer.allocUnsafeSlow(readBytes)
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback: take } })
    const ask = (): void => {
      const offset = (sent++ * fetchMessages) % (messages - fetchMessages)
      const maxBytes = fetchMessages * (valueBytes + 64)
      socket.write(encodeLogRequest(logOperation.fetch, sent, { partitionId, offset, maxBytes }))
    }
    socket.on('close', () => reject(new Error('the server closed the connection')))
    socket.on('connect', () => {
      while (sent < Math.min(ahead, fetches)) ask()
    })
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
    const fromMs = performance.now()
    const bytes = await Promise.all(
      Array.from({ length: connections }, () => fetchAll(served.port, partitionId, fetches)),
    )
    const rate = bytes.reduce((sum, each) => sum + each, 0) / (performance.now() - fromMs) / 1e6
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
