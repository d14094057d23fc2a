/** As `edge-send.ts`, with a binary codec for the events. Budget: >= 2M/s. `node bench/kernel/edge-binary.ts` */
process.argv[2] = 'binary'
await import('./edge-send.ts')
