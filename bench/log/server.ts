/** The log server over a few connections that are kept full, against a bare server that checks the same checksums. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import {
  decodeLogResponse,
  encodeLogBatch,
  encodeLogRequest,
  logOperation,
  type ProduceRequest,
} from '../../src/messages/index.ts'
import type { LogOperation } from '../../src/messages/log/operation.ts'
import { open } from '../events/tcp-client.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { ServedLog } from './served-log.ts'

const connections = 8
const requestsPerBlock = 64
const blocksAhead = 4
const ratioLimit = atLeast(0.5, 'x')
const rateLimit = atLeast(1, 'M/s')
const valueBytes = 100

/** What is sent over and over: requests, and the size of each answer. */
interface Work {
  readonly block: Buffer
  readonly requests: number
  readonly answerBytes: number
}

function workOf<Q>(operation: LogOperation<Q, unknown, unknown>, request: Q, answerBytes: number): Work {
  const requests = Array.from({ length: requestsPerBlock }, (_, id) => encodeLogRequest(operation, id, request))
  return { block: Buffer.concat(requests), requests: requestsPerBlock, answerBytes }
}

/** So many messages of 100 B to a partition. */
function produceOf(partitionId: number, messages: number): ProduceRequest {
  const message = { timestampMs: 0, key: null, value: Buffer.alloc(valueBytes, 7) }
  return { partitionId, acknowledgement: 'committed', batch: encodeLogBatch(Array(messages).fill(message)) }
}

/** Makes a topic of one partition. */
async function newPartition(port: number, name: string): Promise<number> {
  const socket = await open(port)
  socket.write(encodeLogRequest(logOperation.createTopic, 1, { name, partitions: 1 }))
  const [frame] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  const answer = decodeLogResponse(logOperation.createTopic, frame)
  if (!answer.ok) throw new Error(answer.text)
  return answer.response.partitions[0]!
}

/** Sends the block so many times, some of them before the first is answered; rejects for an answer that is an error. */
function pump(socket: Socket, { block, requests, answerBytes }: Work, blocks: number, ahead: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = Math.min(ahead, blocks)
    let answered = 0
    let at = 0
    const settle = (error?: Error): void => {
      socket.off('data', take).off('close', onClose)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onClose = (): void => settle(new Error('the server closed the connection'))
    const take = (chunk: Buffer): void => {
      // The status of each answer; those of one kind are of one size.
      for (let status = 12 - at; status < chunk.length; status += answerBytes) {
        if (status >= 0 && chunk[status] !== 0) settle(new Error(`status ${chunk[status]}`))
      }
      const whole = at + chunk.length
      answered += Math.floor(whole / answerBytes)
      at = whole % answerBytes
      while (sent < blocks && answered > (sent - ahead) * requests) {
        sent++
        socket.write(block)
      }
      if (answered === blocks * requests) settle()
    }
    socket.on('data', take).on('close', onClose)
    for (let number = 0; number < sent; number++) socket.write(block)
  })
}

/** Millions of requests a second. */
async function run(sockets: readonly Socket[], work: Work, blocks: number): Promise<number> {
  const from = performance.now()
  await Promise.all(sockets.map(socket => pump(socket, work, blocks, blocksAhead)))
  return (sockets.length * blocks * work.requests) / (performance.now() - from) / 1_000
}

/** Measures. */
export async function measureServer({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 3 : 11
  const blocks = quick ? 400 : 1_500
  await using bare = await ServedLog.start('bare')
  await using one = await ServedLog.start('one')
  await using two = await ServedLog.start('two')
  const health = workOf(logOperation.healthCheck, {}, 19)
  const [onePartition, twoPartition] = [await newPartition(one.port, 'a'), await newPartition(two.port, 'a')]
  const single = (partitionId: number) => workOf(logOperation.produce, produceOf(partitionId, 1), 31)
  const batched = (partitionId: number) => workOf(logOperation.produce, produceOf(partitionId, batchMessages), 31)
  const runs = {
    bareHealth: { server: bare, work: health, blocks },
    oneHealth: { server: one, work: health, blocks },
    twoHealth: { server: two, work: health, blocks },
    bareProduce: { server: bare, work: { ...single(onePartition), answerBytes: 19 }, blocks },
    oneProduce: { server: one, work: single(onePartition), blocks: blocks / 4 },
    twoProduce: { server: two, work: single(twoPartition), blocks: blocks / 4 },
    twoBatched: { server: two, work: batched(twoPartition), blocks: blocks / 20 },
  }
  const rates = Object.fromEntries(Object.keys(runs).map(name => [name, []])) as unknown as Record<
    keyof typeof runs,
    number[]
  >
  for (let round = -1; round < rounds; round++) {
    for (const [name, { server, work, blocks }] of Object.entries(runs)) {
      const sockets = await Promise.all(Array.from({ length: connections }, () => open(server.port)))
      const rate = await run(sockets, work, blocks)
      for (const socket of sockets) socket.destroy()
      if (round >= 0) rates[name as keyof typeof runs].push(rate)
      if (round >= 0) say(`${name} ${round + 1}/${rounds}: ${rate.toFixed(3)} M/s`)
    }
  }
  const ratiosOf = (name: keyof typeof runs, base: keyof typeof runs): number[] =>
    rates[name].map((rate, round) => rate / rates[base][round]!)
  return [
    ratio('HealthCheck, pipelined, one shard', ratiosOf('oneHealth', 'bareHealth'), rates.oneHealth, rates.bareHealth),
    rate('HealthCheck, pipelined, two shards', rates.twoHealth, 1),
    {
      ...reported('Produce of one message of 100 B, committed, pipelined, one shard', rates.oneProduce),
      baseline: `bare net with checksums: ${perSecond(rates.bareProduce)}`,
    },
    reported('the same, two shards', rates.twoProduce),
    rate(
      `Produce of ${batchMessages} messages of 100 B, committed, two shards, in messages`,
      rates.twoBatched,
      batchMessages,
    ),
  ]
}

const batchMessages = 100
const inFlight = `${connections} connections x ${requestsPerBlock * blocksAhead}`

function ratio(work: string, ratios: number[], rates: number[], bases: number[]): Figure {
  const value = spread(ratios)
  const baseline = `bare net with checksums: ${perSecond(bases)}`
  const pass = ratioLimit.holds(value.value)
  return { work, inFlight, figure: perSecond(rates), baseline, budget: ratioLimit.text, pass, ...value }
}

function rate(work: string, rates: number[], each: number): Figure {
  const values = rates.map(rate => rate * each)
  const value = spread(values)
  return {
    work,
    inFlight,
    figure: perSecond(values),
    budget: rateLimit.text,
    pass: rateLimit.holds(value.value),
    ...value,
  }
}

function reported(work: string, rates: number[]): Figure {
  return { work, inFlight, figure: perSecond(rates), ...spread(rates) }
}

function perSecond(rates: readonly number[]): string {
  return `${median(rates).toFixed(2)}M/s`
}
