/**
 * What happens to a connection, as its chart sees it: one event for each wait that begins or ends, none for a frame.
 */

/** The events of the connection chart. */
export type ConnectionEvent =
  /** The TLS handshake is done. */
  | { readonly type: 'tls.secured' }
  /** Input stands between two frames: the next one is awaited. */
  | { readonly type: 'request.awaited' }
  /** The first bytes of a header have come, not all. */
  | { readonly type: 'header.begun' }
  /** A header was judged, its body has not come whole. */
  | { readonly type: 'body.begun' }
  /** Requests are with their handlers, and no further one has begun. */
  | { readonly type: 'handlers.awaited' }
  /** As many requests are in flight as may be: the socket is not read. */
  | { readonly type: 'requests.full' }
  /** Output stands above its high-water mark: the reader is awaited, the socket is not read. */
  | { readonly type: 'output.blocked' }
  /** The last request in flight was answered. */
  | { readonly type: 'work.finished' }
  /** All output was taken by the kernel and our FIN is out. */
  | { readonly type: 'output.finished' }
  /** An answer was given after which nothing more is read. */
  | { readonly type: 'fault.answered' }
  /** The peer's FIN came, and all that came before it has been looked at. */
  | { readonly type: 'peer.ended' }
  /** The socket is gone: closed, reset or failed. */
  | { readonly type: 'socket.closed' }
  /** Command: answer what was received, refuse what still comes, end. */
  | { readonly type: 'connection.drain' }

/** One value for each event that carries nothing, so that a step allocates none. */
export const connectionEvents = {
  secured: { type: 'tls.secured' },
  requestAwaited: { type: 'request.awaited' },
  headerBegun: { type: 'header.begun' },
  bodyBegun: { type: 'body.begun' },
  handlersAwaited: { type: 'handlers.awaited' },
  requestsFull: { type: 'requests.full' },
  outputBlocked: { type: 'output.blocked' },
  workFinished: { type: 'work.finished' },
  outputFinished: { type: 'output.finished' },
  faultAnswered: { type: 'fault.answered' },
  peerEnded: { type: 'peer.ended' },
  socketClosed: { type: 'socket.closed' },
  drain: { type: 'connection.drain' },
} as const satisfies Record<string, ConnectionEvent>
