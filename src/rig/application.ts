// An application on a kernel mount: it writes a file that it has opened once, reads that back, and reads
// another one that was there before, over and over. What it is told is on record as it came.

import type { Clock } from '../base/clock.ts';
import type { Clients } from './clients.ts';
import { goOn, type Traffic } from './traffic.ts';

const FILE_BYTES = 16 * 1024;
/** A call that waits for a server longer than this is given up. */
const GIVEN_UP_MS = 30_000;

export function startApplication(options: {
  readonly clock: Clock;
  readonly clients: Clients;
  readonly name: string;
  readonly consumer: string;
  readonly volume: string;
  /** Written anew each time, and read back. */
  readonly file: string;
  /** Never written. */
  readonly reading: string;
  /** Where the volume is mounted now; null: nowhere. */
  readonly server: () => string | null | undefined;
}): Traffic {
  const { clock, clients, name, consumer, volume, file, reading } = options;
  let last = options.server() ?? '';
  /** Whether it worked. */
  const call = async (kind: 'nfs-write' | 'nfs-read', of: string, content?: string): Promise<boolean> => {
    last = options.server() ?? last;
    const answer = await clients.file({
      process: name,
      kind,
      consumer,
      server: last,
      volume,
      file: of,
      through: 'kernel',
      timeoutMs: GIVEN_UP_MS,
      ...(content !== undefined && { content: { name: content, bytes: FILE_BYTES } }),
    });
    return answer.outcome === 'ok';
  };
  let works = true;
  return goOn(clock, async (count) => {
    // Of a volume that it has lost it has been told; it goes on when the volume is there again.
    if (!works && options.server() === null) return;
    const written = await call('nfs-write', file, `${name}/${volume}/${count}`);
    const readBack = await call('nfs-read', file);
    works = (await call('nfs-read', reading)) && written && readBack;
  });
}
