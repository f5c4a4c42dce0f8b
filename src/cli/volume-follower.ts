// The volumes as etcd tells of them, with the times at which the word arrived.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { nameIn, VOLUMES_PREFIX } from '../kv/keys.ts';
import type { Kv, WatchEvent } from '../kv/kv.ts';
import type { Volume } from '../model/volume.ts';

export interface Sighting {
  readonly volume: Volume;
  /** Monotonic clock. */
  readonly atMs: number;
}

export interface VolumeFollower {
  /** The first sighting for which it holds, counting what was seen already; `timeout` after 60 s. */
  until(id: string, what: string, holds: (volume: Volume | undefined) => boolean): Promise<Sighting>;
  stop(): Promise<void>;
}

const TIMEOUT_MS = 60_000;

export function followVolumes(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): VolumeFollower {
  const { kv, clock } = options;
  const last = new Map<string, Sighting>();
  const waiting = new Set<() => void>();
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);

  const see = (event: WatchEvent): void => {
    const atMs = clock.monotonicMs();
    if (event.kind === 'delete') last.delete(nameIn(VOLUMES_PREFIX, event.key));
    else
      last.set(nameIn(VOLUMES_PREFIX, event.kv.key), {
        volume: JSON.parse(event.kv.value) as Volume,
        atMs,
      });
    for (const look of waiting) look();
  };
  const following = (async () => {
    for await (const { events } of kv.watch({ prefix: VOLUMES_PREFIX, fromRevision: 1, signal }))
      events.forEach(see);
  })();
  const done = following.catch(() => undefined);
  const untilEnd = following.then(() => Promise.reject(new RigError('unavailable', 'the watch has ended')));
  untilEnd.catch(() => undefined);

  const seen = (id: string, what: string, holds: (volume: Volume | undefined) => boolean) =>
    new Promise<Sighting>((resolve, reject) => {
      const look = (): void => {
        const sighting = last.get(id);
        if (!holds(sighting?.volume) || sighting === undefined) return;
        end();
        resolve(sighting);
      };
      const cancel = clock.after(TIMEOUT_MS, () => {
        end();
        const found = JSON.stringify(last.get(id)?.volume);
        reject(new RigError('timeout', `waited ${TIMEOUT_MS} ms for volume ${id}: ${what}; it is ${found}`));
      });
      const end = (): void => {
        cancel();
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });

  return {
    until: (id, what, holds) => Promise.race([seen(id, what, holds), untilEnd]),
    stop: async () => {
      ended.abort();
      await done;
    },
  };
}
