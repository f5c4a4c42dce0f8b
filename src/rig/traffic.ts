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
  /** Asked before every call: a volume may move. Null while the consumer has it not mounted. */
  readonly server: () => string | null;
  readonly volume: string;
  /** Reads this file and nothing else, and writes nothing. */
  readonly reading?: string;
}): Traffic {
  const { clock, random, clients, name, consumer, volume, reading } = options;
  const written: string[] = [];
  const call = (server: string) => ({ process: name, consumer, server, volume, timeoutMs: IO_TIMEOUT_MS });
  const read = async (file: string | undefined): Promise<void> => {
    const server = options.server();
    if (file === undefined || server === null) return;
    await clients.file({ ...call(server), kind: 'nfs-read', file });
  };
  const write = async (file: string): Promise<void> => {
    const server = options.server();
    if (server === null) return;
    const content = { name: `${name}/${volume}/${file}`, bytes: FILE_BYTES };
    const answer = await clients.file({ ...call(server), kind: 'nfs-write', file, content });
    if (answer.outcome === 'ok') written.push(file);
  };
  return goOn(clock, async (count) => {
    if (reading !== undefined) return read(reading);
    await write(`${name}-${count}`);
    await read(written[below(random, Math.max(1, written.length))]);
  });
}

/** Round after round, from 0, with a pause after each. */
export function goOn(clock: Clock, round: (count: number) => Promise<void>): Traffic {
  let ended = false;
  const loop = async (): Promise<void> => {
    for (let count = 0; !ended; count += 1) {
      await round(count);
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
