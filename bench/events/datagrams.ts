/** Echo over UDP against bare `node:dgram`. */
import { createSocket } from 'node:dgram'
import { encodeEventRequest, eventRequestAt } from '../../src/messages/event/request-v1.ts'
import { median, spread } from '../statistics.ts'
import { atLeast, type Figure, type SuiteOptions } from '../suite.ts'
import { type Kind, Served } from './servers.ts'
import { bodyBytes } from './tcp-client.ts'

const inFlight = 128
/** No answer for so long: what is missing was dropped on the way, and is sent again. */
const silenceMs = 100
const limit = atLeast(0.7, 'x')

/** Measures. */
export async function measureDatagrams({ quick, say }: SuiteOptions): Promise<Figure[]> {
  const rounds = quick ? 5 : 15
  const count = quick ? 20_000 : 60_000
  await using bare = await Served.start('bare')
  await using starfish = await Served.start('starfish')
  const servers = { bare, starfish }
  const rates: Record<Kind, number[]> = { bare: [], starfish: [] }
  for (let round = -2; round < rounds; round++) {
    for (const kind of ['bare', 'starfish'] as const) {
      const rate = await echo(servers[kind].ports.udp, count)
      if (round >= 0) rates[kind].push(rate)
    }
    if (round >= 0) say(`UDP ${round + 1}/${rounds}: ${last(rates.starfish)} of ${last(rates.bare)} k/s`)
  }
  const ratios = spread(rates.starfish.map((rate, round) => rate / rates.bare[round]!))
  return [
    {
      work: `echo of ${bodyBytes} B over UDP, one shard`,
      inFlight: String(inFlight),
      figure: `${median(rates.starfish).toFixed(0)}k/s`,
      baseline: `bare dgram: ${median(rates.bare).toFixed(0)}k/s`,
      budget: limit.text,
      pass: limit.holds(ratios.value),
      ...ratios,
    },
  ]
}

/** Thousands of answers a second; each is compared with its request. */
async function echo(port: number, count: number): Promise<number> {
  const request = encodeEventRequest({ sessionId: 0, body: Buffer.alloc(bodyBytes, 7) })
  let lastSessionId = 0
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304, sendBufferSize: 4_194_304 })
  await new Promise<void>(resolve => socket.connect(port, '127.0.0.1', resolve))
  const from = performance.now()
  await new Promise<void>((resolve, reject) => {
    let answered = 0
    let answeredBefore = -1
    const timer = setInterval(() => {
      if (answered === answeredBefore) for (let number = 0; number < inFlight; number++) send(Buffer.from(request))
      answeredBefore = answered
    }, silenceMs)
    /** Each request has a session of its own, as the server wants it of who brings no cookie. */
    const send = (bytes: Buffer): void => {
      bytes.writeUInt32BE(++lastSessionId, eventRequestAt.sessionId)
      socket.send(bytes)
    }
    const settle = (error?: Error): void => {
      clearInterval(timer)
      if (error === undefined) resolve()
      else reject(error)
    }
    socket.on('error', settle)
    socket.on('message', answer => {
      answer.writeUInt32BE(0, eventRequestAt.sessionId)
      if (!request.equals(answer)) settle(new Error('a wrong answer'))
      else if (++answered === count) settle()
      else send(answer)
    })
    for (let number = 0; number < inFlight; number++) send(Buffer.from(request))
  })
  const rate = count / (performance.now() - from)
  socket.close()
  return rate
}

function last(rates: readonly number[]): string {
  return rates.at(-1)!.toFixed(0)
}
