// Background traffic: one consumer writes a new file and reads an earlier one
// back, over and over, until it is told to stop.

import type { Clock } from '../base/clock.ts';
import { below, type Random } from '../base/random.ts';
import type { Clients } from './clients.ts';

const FILE_BYTES = 16 * 1024;
const IO_TIMEOUT_MS = 10_000;
/** A file server has other clients, too: leave it room. */
const PAUSE_MS = 50;

export interface Traffic {
  /** Resolves when the call in flight has ended; throws what broke the traffic off, such as a full disk. */
  end(): Promise<void>;
}

export function startTraffic(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly clients: Clients;
  readonly name: string;
  readonly consumer: string;
  readonly server: string;
  readonly volume: string;
}): Traffic {
  const { clock, random, clients, name, consumer, server, volume } = options;
  let ended = false;
  const written: string[] = [];
  const loop = async (): Promise<void> => {
    for (let count = 0; !ended; count += 1) {
      const file = `${name}-${count}`;
      const call = { process: name, consumer, server, volume, timeoutMs: IO_TIMEOUT_MS };
      const content = { name: `${name}/${volume}/${file}`, bytes: FILE_BYTES };
      const answer = await clients.file({ ...call, kind: 'nfs-write', file, content });
      if (answer.outcome === 'ok') written.push(file);
      const earlier = written[below(random, Math.max(1, written.length))];
      if (earlier !== undefined) await clients.file({ ...call, kind: 'nfs-read', file: earlier });
      await clock.sleep(PAUSE_MS);
    }
  };
  let failure: unknown;
  const running = loop().catch((error: unknown) => {
    failure = error;
  });
  return {
    end: async () => {
      ended = true;
      await running;
      if (failure !== undefined) throw failure;
    },
  };
}
