// What carries TCP connections from one member to another, over links that may be
// broken (hardware/wires.ts): each chunk, and each end of a connection, arrives as its
// direction of the link lets it. Where nothing is done to the link nothing is added.

import { connect, createServer, type Socket } from 'node:net';
import type { Exchange, Message, Wires } from '../hardware/wires.ts';
import { type Endpoint, listen, portOf } from './endpoint.ts';
import type { PortWatch } from './port-watch.ts';

export interface RelayOptions {
  readonly wires: Wires;
  /** Where whoever wants to reach `to` connects. */
  readonly at: Endpoint;
  readonly target: Endpoint;
  readonly to: string;
  /** Whose connection it is; undefined for one that nobody knows of, which is ended. */
  readonly from: (socket: Socket) => Promise<string | undefined>;
  /** Of the target's port: connections are refused while nobody listens there. Default: it is not looked at. */
  readonly watch?: PortWatch;
}

/** Sent and not yet arrived, in one direction; as much as a kernel keeps for a connection. */
const WINDOW_BYTES = 1024 * 1024;
/** A handshake's, or an end's. */
const BARE_BYTES = 60;

export interface Relay extends AsyncDisposable {
  /** The one that it was given, or for 0 the one that the system has chosen. */
  readonly port: number;
}

/** Until it is disposed of. Throws `machine` when it can't listen there. */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const { at, watch } = options;
  const connections = new Set<Connection>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    // Whoever hangs up before anything else has happened is no failure.
    client.on('error', () => undefined);
    const begin = (from: string | undefined): void => {
      const onGone = (): void => watch?.look();
      if (from === undefined) reset(client);
      else carryConnection({ ...options, client, path: { from, to: options.to }, connections, onGone });
    };
    options.from(client).then(begin, () => begin(undefined));
  });
  await listen(server, at);
  const port = portOf(server);
  let isOver = false;
  const onChange = (isOpen: boolean): void => {
    if (!isOpen || isOver) server.close();
    // Nobody else has this address; and whoever should not get it back shows by what is refused.
    else listen(server, { ...at, port }).catch(() => undefined);
  };
  watch?.onChange(onChange);
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      isOver = true;
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}

/** Now: by itself it would first wait for all to be sent, which nobody may take any more. */
function reset(socket: Socket): void {
  // One whose end is on its way can't be reset (uv_tcp_close_reset), and would be lost, open, for as long as this process is.
  if (!socket.writableEnded) socket.resetAndDestroy();
  socket.destroy();
}

interface Connection {
  /** At once, with a reset at both ends. */
  end(): void;
}

function carryConnection(options: {
  readonly wires: Wires;
  readonly client: Socket;
  readonly target: Endpoint;
  readonly path: { readonly from: string; readonly to: string };
  readonly connections: Set<Connection>;
  /** The other side of it has gone. */
  readonly onGone: () => void;
}): void {
  const { wires, client, target, path, connections, onGone } = options;
  const there: Way = { ...path, opener: path.from };
  const back: Way = { from: path.to, to: path.from, opener: path.from };
  const exchange: Exchange = { over: false };
  let server: Socket | undefined;
  const connection: Connection = {
    end: () => {
      exchange.over = true;
      connections.delete(connection);
      reset(client);
      if (server !== undefined) reset(server);
    },
  };
  const carry = (way: Way, bytes: number, isEmpty: boolean): Promise<void> =>
    wires.carry({ ...way, bytes, isEmpty }, exchange);
  /** Once both ends have closed it. */
  const forget = (): void => {
    if (!client.destroyed || server?.destroyed === false) return;
    exchange.over = server !== undefined;
    connections.delete(connection);
  };
  connections.add(connection);
  carry(there, BARE_BYTES, true).then(() => {
    const opened = connect({ ...target, allowHalfOpen: true, noDelay: true });
    server = opened;
    opened.once('close', () => {
      forget();
      onGone();
    });
    // Nobody listens there: the news of it has to come back.
    const onRefused = (): void => void carry(back, BARE_BYTES, true).then(connection.end, connection.end);
    opened.once('error', onRefused);
    opened.once('connect', () => {
      opened.off('error', onRefused);
      opened.on('error', () => undefined);
      pump({
        source: client,
        sink: opened,
        end: connection.end,
        carry: (...bytes) => carry(there, ...bytes),
      });
      pump({ source: opened, sink: client, end: connection.end, carry: (...bytes) => carry(back, ...bytes) });
    });
  }, connection.end);
  client.once('close', forget);
}

type Way = Required<Pick<Message, 'from' | 'to' | 'opener'>>;

/** One direction. Chunks are under way at the same time, and arrive in their order. */
function pump(options: {
  readonly source: Socket;
  readonly sink: Socket;
  readonly carry: (bytes: number, isEmpty: boolean) => Promise<void>;
  readonly end: () => void;
}): void {
  const { source, sink, carry, end } = options;
  let arrived: Promise<unknown> = Promise.resolve();
  let underWayBytes = 0;
  let hasEnded = false;
  /** Does it once all that was sent before has arrived, and this too. */
  const inOrder = (effect: () => void, dataBytes = 0): void => {
    const isEmpty = dataBytes === 0;
    arrived = Promise.all([arrived, carry(isEmpty ? BARE_BYTES : dataBytes, isEmpty)]).then(effect);
    arrived.catch(end);
  };
  source.on('data', (chunk: Buffer) => {
    underWayBytes += chunk.length;
    if (underWayBytes >= WINDOW_BYTES) source.pause();
    inOrder(() => {
      sink.write(chunk, () => {
        underWayBytes -= chunk.length;
        if (underWayBytes < WINDOW_BYTES && source.isPaused()) source.resume();
      });
    }, chunk.length);
  });
  source.once('end', () => {
    hasEnded = true;
    inOrder(() => void sink.end());
  });
  source.once('close', (isBroken) => {
    if (isBroken || !hasEnded) inOrder(end);
  });
  source.resume();
}
