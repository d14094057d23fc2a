/**
 * Worker entry: waits for the pipe from the parent to close, which it does when the parent dies in whatever way, and
 * then kills the node's process group, itself included. Works while the main thread is stuck.
 */
import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'

const pipe = new Socket({ fd: workerData.fd, readable: true, writable: false })
// An error closes it, too.
pipe.on('error', () => {})
pipe.on('close', () => process.kill(0, 'SIGKILL'))
