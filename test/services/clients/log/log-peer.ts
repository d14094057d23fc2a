/** A TCP peer of the log protocol that does by script what a server may do, and what it may not. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Test } from 'tap'
import {
  encodeLogBatch,
  encodeLogError,
  encodeLogResponse,
  type FetchRequest,
  type LogErrorCode,
  type LongPoll,
  logOperation,
  type ProduceRequest,
  readLogBatch,
} from '../../../../src/messages/index.ts'
import { logError } from '../../../../src/messages/log/codes.ts'
import { logOperationsV1 } from '../../../../src/messages/log/operations.ts'
import { LogRequestDecoder } from '../../../../src/messages/log/request.ts'

/** A Produce as the peer saw it. */
export interface Produced {
  readonly partition: number
  readonly producerId: bigint
  readonly sequence: number
  readonly values: readonly string[]
  readonly socket: Socket
  /** Answers it, now or later. */
  stored(baseOffset: number): void
  partly(baseOffset: number, stored: number, errorCode: LogErrorCode): void
  failed(errorCode: LogErrorCode): void
}

/** Texts that lie one behind the other, the first at `offset`. */
export interface PeerSlice {
  readonly offset: number
  readonly values: readonly string[]
}

/** A Fetch as the peer saw it. */
export interface Fetched {
  readonly partition: number
  readonly offset: number
  readonly maxBytes: number
  readonly longPoll: LongPoll | undefined
  readonly socket: Socket
  /** Answers it, now or later; with another partition than was asked for if it is named. */
  found(highWaterMark: number, slices: readonly PeerSlice[], partition?: number): void
  /** The same, with the last message of the partition, or at its end. */
  answer(value?: string): void
  failed(errorCode: LogErrorCode): void
}

/** The peer. Topic `t` has its partitions. */
export interface LogPeer {
  readonly port: number
  /** Every Produce that came, oldest first. */
  readonly produced: readonly Produced[]
  /** Resolves when so many have come. */
  came(count: number): Promise<void>
}

/** What a peer does. */
export interface LogPeerScript {
  readonly partitions?: readonly number[]
  /** With every Produce, told how many came before it. */
  readonly onProduce?: (produced: Produced, index: number) => void
  /** With every Fetch. */
  readonly onFetch?: (fetched: Fetched) => void
  /** ListTopics is answered with a storage error that says so. */
  readonly topicsFault?: string
  /** What GetOffset is answered. Default 0. */
  readonly highWaterMark?: number
}

/** A peer that is gone when the test is over. */
export async function startLogPeer(t: Test, script: LogPeerScript): Promise<LogPeer> {
  const { partitions = [1], onProduce, onFetch, topicsFault, highWaterMark = 0 } = script
  const produced: Produced[] = []
  const sockets = new Set<Socket>()
  let waiting: { count: number; resolve: () => void }[] = []
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0) && !socket.destroyed) {
        const end = 4 + rest.readUInt32BE(0)
        serve(socket, Buffer.from(rest.subarray(0, end)))
        rest = rest.subarray(end)
      }
    })
  })

  function serve(socket: Socket, frame: Buffer): void {
    const decoder = new LogRequestDecoder(logOperationsV1)
    const fault = decoder.decode(frame, 0, frame.length - 16)
    if (fault !== undefined) throw new Error(fault.text)
    const id = Number(frame.readBigUInt64BE(4))
    const write = (bytes: Buffer) => void (socket.destroyed || socket.write(bytes))
    switch (decoder.operation.name) {
      case 'HealthCheck':
        write(encodeLogResponse(logOperation.healthCheck, id, {}))
        break
      case 'ListTopics':
        write(
          topicsFault === undefined
            ? encodeLogResponse(logOperation.listTopics, id, { topics: [{ name: 't', partitions }] })
            : encodeLogError(id, logError.storageError, topicsFault),
        )
        break
      case 'GetOffset':
        write(encodeLogResponse(logOperation.getOffset, id, { highWaterMark }))
        break
      case 'Fetch':
        onFetch?.(fetchedOf(decoder.request as FetchRequest, id, socket, write))
        break
      default:
        take(decoder.request as ProduceRequest, id, socket, write)
    }
  }

  function take(request: ProduceRequest, id: number, socket: Socket, write: (bytes: Buffer) => void): void {
    const { partitionId, producer, batch } = request
    const answer = (baseOffset: number, partial?: { stored: number; errorCode: number }) =>
      write(encodeLogResponse(logOperation.produce, id, { partitionId, baseOffset, partial }))
    const one: Produced = {
      partition: partitionId,
      producerId: producer!.producerId,
      sequence: producer!.sequence,
      values: readLogBatch(batch).map(({ value }) => String(value)),
      socket,
      stored: baseOffset => answer(baseOffset),
      partly: (baseOffset, stored, errorCode) => answer(baseOffset, { stored, errorCode }),
      failed: errorCode => write(encodeLogError(id, errorCode, 'by script')),
    }
    onProduce?.(one, produced.push(one) - 1)
    for (const { count, resolve } of waiting) if (produced.length >= count) resolve()
    waiting = waiting.filter(({ count }) => produced.length < count)
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    produced,
    came: count =>
      new Promise(resolve => {
        if (produced.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
  }
}

function fetchedOf(
  { partitionId, offset, maxBytes, longPoll }: FetchRequest,
  id: number,
  socket: Socket,
  write: (bytes: Buffer) => void,
): Fetched {
  const found: Fetched['found'] = (highWaterMark, slices, partition = partitionId) => {
    const answer = { partitionId: partition, highWaterMark, slices: slices.map(sliceOf) }
    write(encodeLogResponse(logOperation.fetch, id, answer))
  }
  return {
    partition: partitionId,
    offset,
    maxBytes,
    longPoll,
    socket,
    found,
    answer: value => (value === undefined ? found(offset, []) : found(offset + 1, [{ offset, values: [value] }])),
    failed: errorCode => write(encodeLogError(id, errorCode, 'by script')),
  }
}

function sliceOf({ offset, values }: PeerSlice) {
  const messages = values.map(value => ({ timestampMs: 1, key: null, value: Buffer.from(value) }))
  const { bytes, end, count } = encodeLogBatch(messages)
  return { bytes, start: 4, end, count, offset }
}
