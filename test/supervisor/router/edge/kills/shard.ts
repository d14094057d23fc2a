/** A shard that lives on: it keeps its edges to one victim after another full and accounts for each. */
import { type MessagePort, parentPort } from 'node:worker_threads'
import { type EndOfEdge, runLoad } from './load.ts'

parentPort!.on('message', async (end: EndOfEdge & { readonly port: MessagePort }) => {
  parentPort!.postMessage(await runLoad(end))
})
