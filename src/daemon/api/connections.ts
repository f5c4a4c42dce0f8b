// The end of calls and connections: by the client, or because the API stops.

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../base/clock.ts';

/** How long a client may take to close its side after ours. */
const LINGER_MS = 1000;

type Socket = FastifyRequest['raw']['socket'];

/** Calls under way, by what ends their streams. */
export interface Calls {
  readonly live: Set<AbortController>;
  closing: boolean;
}

/** When the server closes, answers close their connections, and streams end. */
export function endConnections(server: FastifyInstance): Calls {
  const calls: Calls = { live: new Set(), closing: false };
  // Node doesn't count a connection as idle that has yet to send its first request, and would wait for it.
  // With TLS there are two of each, one around the other: the outer one comes with the end of the handshake.
  const silent = new Map<string, Set<Socket>>();
  const onConnection = (socket: Socket): void => {
    const peer = peerOf(socket);
    if (calls.closing) socket.destroy();
    const sockets = silent.get(peer) ?? new Set();
    silent.set(peer, sockets.add(socket));
    socket.once('close', () => {
      sockets.delete(socket);
      if (sockets.size === 0 && silent.get(peer) === sockets) silent.delete(peer);
    });
  };
  server.server.on('connection', onConnection);
  server.server.on('secureConnection', onConnection);
  server.server.on('request', ({ socket }) => silent.delete(peerOf(socket)));
  server.addHook('preClose', async () => {
    calls.closing = true;
    for (const call of calls.live) call.abort();
    for (const socket of [...silent.values()].flatMap((sockets) => [...sockets])) socket.destroy();
  });
  server.addHook('onSend', async (_request, reply) => {
    if (calls.closing) reply.header('connection', 'close');
  });
  return calls;
}

const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;

/**
 * Says a last word on a connection and ends it. A client may keep its own side open for ever, so after a
 * while, in which the word arrives, the connection is ended without it.
 */
export function endWith(socket: Socket, text: string, clock: Clock): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const cancel = clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
  socket.end(text);
  // What is still coming is not looked at, but would be in the way of the client's end.
  socket.resume();
}

/** Fires when the client has gone or has its answer, and when the server closes. */
export function endOf(reply: FastifyReply, calls: Calls): AbortSignal {
  const call = new AbortController();
  if (calls.closing) call.abort();
  calls.live.add(call);
  reply.raw.once('close', () => {
    calls.live.delete(call);
    call.abort();
  });
  return call.signal;
}
