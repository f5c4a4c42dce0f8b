// How long the leader's lease has left, as etcd says; and, by the way, whether etcd answers at all.

import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { askEtcd } from '../../process/etcd-gateway.ts';
import type { LeaseItem } from '../../rig/console/items.ts';

const LOOK_EVERY_MS = 250;
const ANSWER_WITHIN_MS = 1_500;

const timeToLive = z.object({
  ID: z.string(),
  TTL: z.string().default('0'),
  grantedTTL: z.string().default('0'),
});

export interface WatchLeaseOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of etcd's members that run. */
  readonly urls: () => readonly string[];
  /** Of the leader's key; null: nobody leads. */
  readonly lease: () => string | null;
  /** Whenever it has been renewed or has come nearer its end; undefined: there is none. */
  readonly onLease: (lease: LeaseItem | undefined) => void;
  /** After each look: why nobody has answered; undefined when somebody has. */
  readonly onAnswer: (lost: RigError | undefined) => void;
}

/** Resolves when the signal has fired. */
export async function watchLease(options: WatchLeaseOptions): Promise<void> {
  const { clock, signal, urls, lease, onLease, onAnswer } = options;
  let known: LeaseItem | undefined;
  while (!signal.aborted) {
    const id = lease();
    // Where nobody leads, any lease will do to see whether etcd answers.
    const found = urls().length === 0 ? undefined : await ask(urls(), id ?? '1').catch(RigError.from);
    if (signal.aborted) return;
    if (found !== undefined) onAnswer(found instanceof RigError ? found : undefined);
    if (!(found instanceof RigError)) {
      const next = id === null || found === undefined ? undefined : itemOf(found, clock.nowMs());
      if (next?.leftSeconds !== known?.leftSeconds || next?.grantedSeconds !== known?.grantedSeconds)
        onLease(next);
      known = next;
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

/** The first member that answers. Throws `unavailable` when none does. */
async function ask(urls: readonly string[], id: string): Promise<z.infer<typeof timeToLive>> {
  let failure: unknown;
  for (const url of urls) {
    try {
      const call = { path: 'lease/timetolive', body: { ID: id }, schema: timeToLive };
      const answer = await askEtcd(url, { ...call, timeoutMs: ANSWER_WITHIN_MS });
      if ('body' in answer) return answer.body;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function itemOf({ TTL, grantedTTL }: z.infer<typeof timeToLive>, atMs: number): LeaseItem | undefined {
  const leftSeconds = Number(TTL);
  return leftSeconds < 0 ? undefined : { is: 'lease', leftSeconds, grantedSeconds: Number(grantedTTL), atMs };
}
