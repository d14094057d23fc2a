/** The baseline of the event server over UDP: `node:dgram` on one thread that sends back each datagram it has checked. */
import { createSocket, type Socket } from 'node:dgram'

const headerBytes = 16

/** An echo socket at a free port of the loopback interface. */
export function bindBare(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304, sendBufferSize: 4_194_304 })
  socket.on('message', (bytes, { port, address }) => {
    if (bytes.length < headerBytes || bytes[0] !== 1 || bytes.readUInt32BE(8) !== bytes.length - headerBytes) return
    bytes[1] = 0
    socket.send(bytes, port, address)
  })
  return new Promise(resolve => socket.bind(0, '127.0.0.1', () => resolve(socket)))
}
