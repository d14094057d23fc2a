/** Raw clients of a log server, lean enough not to be what is measured. */
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

/** Requests that are written at once, unless told otherwise. */
export const requestsPerBlock = 64
const valueBytes = 100

/** Bytes of an answer to a HealthCheck, and to a Produce. */
export const answerBytes = { healthCheck: 19, produce: 31 }

/** What is sent over and over: requests, and the size of each answer. */
export interface Work {
  readonly block: Buffer
  readonly requests: number
  readonly answerBytes: number
}

/** A block of requests of one kind, each answered with so many bytes. */
export function workOf<Q>(
  operation: LogOperation<Q, unknown, unknown>,
  request: Q,
  answerBytes: number,
  count = requestsPerBlock,
): Work {
  const requests = Array.from({ length: count }, (_, id) => encodeLogRequest(operation, id, request))
  return { block: Buffer.concat(requests), requests: count, answerBytes }
}

/** So many messages of 100 B to a partition. */
export function produceOf(partitionId: number, messages: number): ProduceRequest {
  const message = { timestampMs: 0, key: null, value: Buffer.alloc(valueBytes, 7) }
  return { partitionId, acknowledgement: 'committed', batch: encodeLogBatch(Array(messages).fill(message)) }
}

/** Makes a topic of one partition. */
export async function newPartition(port: number, name: string): Promise<number> {
  const socket = await open(port)
  socket.write(encodeLogRequest(logOperation.createTopic, 1, { name, partitions: 1 }))
  const [frame] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  const answer = decodeLogResponse(logOperation.createTopic, frame)
  if (!answer.ok) throw new Error(answer.text)
  return answer.response.partitions[0]!
}

/** Sends the block so many times, some of them before the first is answered; rejects for an answer that is an error. */
export function pump(
  socket: Socket,
  { block, requests, answerBytes }: Work,
  blocks: number,
  ahead: number,
): Promise<void> {
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
