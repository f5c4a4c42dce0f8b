// What comes of a connection over a link: a real one, by a relay of its own, to a service
// that sends back what it is sent.

import { connect, createServer } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Wires } from '../hardware/wires.ts';
import type { Connection, Path } from '../rig/deployment.ts';
import { listen, portOf } from './endpoint.ts';
import { openRelay } from './relay.ts';

const HOST = '127.0.0.1';

export async function tryConnection(options: {
  readonly wires: Wires;
  readonly clock: Clock;
  readonly path: Path;
  readonly withinMs: number;
}): Promise<Connection> {
  const { wires, clock, path, withinMs } = options;
  /** It opened, by the word of whoever accepts it. */
  let isOpen = false;
  const echo = createServer((socket) => {
    isOpen = true;
    socket.on('error', () => undefined).pipe(socket);
  });
  await listen(echo, { host: HOST, port: 0 });
  const relay = await openRelay({
    wires,
    at: { host: HOST, port: 0 },
    target: { host: HOST, port: portOf(echo) },
    to: path.to,
    from: async () => path.from,
  });
  const startedMs = clock.monotonicMs();
  const client = connect({ host: HOST, port: relay.port });
  try {
    const outcome = await new Promise<Connection['outcome']>((resolve) => {
      const cancel = clock.after(withinMs, () => resolve(isOpen ? 'mute' : 'silent'));
      const end = (outcome: Connection['outcome']) => (): void => {
        cancel();
        resolve(outcome);
      };
      client.once('data', end('answered'));
      client.once('error', end('reset'));
      client.once('close', end('reset'));
      client.write('?');
    });
    return { ...path, outcome, tookMs: clock.monotonicMs() - startedMs };
  } finally {
    client.destroy();
    await relay[Symbol.asyncDispose]();
    await new Promise((resolve) => echo.close(resolve));
  }
}
