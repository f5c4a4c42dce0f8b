// A consumer: reads and writes one file of one export, over links that may be broken.

import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { MemoryNfsServer } from '../nfs/memory.ts';
import type { IoAnswer, IoRequest } from '../rig/consumer/protocol.ts';
import type { ModelledDisk } from './disk.ts';
import { serveNfs } from './nfs.ts';
import { type Exchange, someMs, type Wires } from './wires.ts';

/** Each operation is a process of its own there. */
const START_MS = { least: 50, most: 150 };
/** The server brings what is written to its disk before it answers. */
const DISK_MS = { least: 1, most: 15 };

/** A node's disk and NFS server, which whoever runs on it has. */
export interface NfsHost {
  readonly storage: ModelledDisk;
  readonly nfs: MemoryNfsServer;
  /** Done while the node goes on: a frozen one waits, and it rejects when the node ends before. `sleep` is the node's. */
  work<T>(work: (sleep: (ms: number) => Promise<void>) => Promise<T>): Promise<T>;
}

export interface ConsumerOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly carry: Wires['carry'];
  /** By the node's name; undefined while it does not run. */
  readonly hostOf: (node: string) => NfsHost | undefined;
  readonly consumer: string;
  /** The consumer's. */
  readonly address: string;
}

/** Never rejects. */
export function performIo(options: ConsumerOptions, request: IoRequest): Promise<IoAnswer> {
  const { clock } = options;
  const exchange: Exchange = { over: false };
  return new Promise((resolve) => {
    const end = (answer: IoAnswer): void => {
      exchange.over = true;
      cancel();
      resolve(answer);
    };
    const broken = (detail: string): void =>
      end({ outcome: request.kind === 'nfs-write' ? 'unknown' : 'failed', detail });
    const cancel = clock.after(request.timeoutMs, () => broken('no answer in time'));
    attempt(options, request, exchange).then(end, (error: unknown) => broken(String(error)));
  });
}

async function attempt(options: ConsumerOptions, request: IoRequest, exchange: Exchange): Promise<IoAnswer> {
  const { clock, random, hostOf, consumer, address } = options;
  const carry = (there: boolean, bytes: number, isEmpty = false): Promise<void> => {
    const [from, to] = there ? [consumer, request.server] : [request.server, consumer];
    return options.carry({ from, to, bytes, isEmpty, opener: consumer }, exchange);
  };
  await clock.sleep(someMs(START_MS.least, START_MS.most, random));
  await carry(true, 100, true);
  await carry(false, 100, true);
  const host = hostOf(request.server);
  if (host === undefined) throw new Error(`no route to ${request.server}`);
  const isWrite = request.kind === 'nfs-write';
  await carry(true, isWrite ? request.bytes : 200);
  const answer = await host.work(async (sleep) => {
    await sleep(someMs(DISK_MS.least, DISK_MS.most, random));
    // One that has given up meanwhile has sent its last packet long ago.
    if (exchange.over) throw new Error('the client has gone');
    return serveNfs({ storage: host.storage, server: host.nfs, address, sleep }, request);
  });
  await carry(false, isWrite ? 200 : 4_096);
  return answer;
}
