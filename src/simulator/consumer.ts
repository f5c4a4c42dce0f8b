// A consumer: reads and writes one file of one export, over links that may be broken.

import type { Random } from '../base/random.ts';
import type { IoAnswer, IoRequest } from '../rig/consumer/protocol.ts';
import { serveNfs } from './nfs.ts';
import type { SimulatedNode } from './node.ts';
import { doneBy } from './process.ts';
import { type Exchange, someMs } from './wires.ts';
import type { World } from './world.ts';

/** Each operation is a process of its own there. */
const START_MS = { least: 50, most: 150 };
/** The server brings what is written to its disk before it answers. */
const DISK_MS = { least: 1, most: 15 };

export interface ConsumerOptions {
  readonly world: World;
  readonly random: Random;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** By name. */
  readonly consumer: string;
}

/** Never rejects. */
export function performIo(options: ConsumerOptions, request: IoRequest): Promise<IoAnswer> {
  const { rig } = options.world;
  const exchange: Exchange = { over: false };
  return new Promise((resolve) => {
    const end = (answer: IoAnswer): void => {
      exchange.over = true;
      cancel();
      resolve(answer);
    };
    const broken = (detail: string): void =>
      end({ outcome: request.kind === 'nfs-write' ? 'unknown' : 'failed', detail });
    const cancel = rig.clock.after(request.timeoutMs, () => broken('no answer in time'));
    attempt(options, request, exchange).then(end, (error: unknown) => broken(String(error)));
  });
}

async function attempt(options: ConsumerOptions, request: IoRequest, exchange: Exchange): Promise<IoAnswer> {
  const { world, random, nodes, consumer } = options;
  const node = nodes.get(request.server);
  const carry = (there: boolean, bytes: number, isEmpty = false): Promise<void> => {
    const [from, to] = there ? [consumer, request.server] : [request.server, consumer];
    return world.wires.carry({ from, to, bytes, isEmpty, opener: consumer }, exchange);
  };
  await world.rig.clock.sleep(someMs(START_MS.least, START_MS.most, random));
  await carry(true, 100, true);
  await carry(false, 100, true);
  const host = node?.host;
  if (node === undefined || host === undefined) throw new Error(`no route to ${request.server}`);
  const isWrite = request.kind === 'nfs-write';
  await carry(true, isWrite ? request.bytes : 200);
  const answer = await doneBy(host, async () => {
    await host.clock.sleep(someMs(DISK_MS.least, DISK_MS.most, random));
    // One that has given up meanwhile has sent its last packet long ago.
    if (exchange.over) throw new Error('the client has gone');
    const { storage, nfs: server } = node;
    const address = world.addressOf(consumer);
    return serveNfs({ storage, server, address, sleep: (ms) => host.clock.sleep(ms) }, request);
  });
  await carry(false, isWrite ? 200 : 4_096);
  return answer;
}
