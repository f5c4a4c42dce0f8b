// The volumes that a consumer has mounted by a kernel. It follows the cluster's events and does
// what it is told: unmounts what it may not use any more, and mounts anew what has moved; and says so.

import { lookup } from 'node:dns/promises';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { createSerial } from '../../base/serial.ts';
import type { Told } from '../follower.ts';
import { type AgentPlace, askOnce } from './agent-client.ts';
import {
  DEFAULT_MOUNT_OPTIONS,
  type MountChange,
  type MountedBy,
  type MountRequest,
  type MountState,
} from './mount-protocol.ts';

/** A server that is away may be back by then. */
const MOUNT_WITHIN_MS = 30_000;
const UNMOUNT_WITHIN_MS = 10_000;

export interface Kernel extends AgentPlace {
  readonly by: MountedBy;
}

export interface Mount extends MountState {
  /** Another one each time it is mounted or unmounted. */
  readonly generation: number;
  readonly kernel: Kernel;
}

export interface Mounts {
  /** Throws `conflict` where it is mounted elsewhere already, and what came of the mount otherwise. */
  mount(kernel: Kernel, request: MountRequest): Promise<MountState>;
  /** Throws `not_found` for one that was never mounted. */
  unmount(volume: string): Promise<MountState>;
  hear(told: Told): void;
  find(volume: string): Mount | undefined;
  list(): readonly MountState[];
  /** That an application has opened a file there. */
  noteOpened(mount: Mount, file: string, tookMs: number): void;
  /** With the kernel went what it had mounted. */
  lose(error: string): void;
  changes(): readonly MountChange[];
  /** Told of each change from now on; the returned function ends that. */
  watch(onChange: (change: MountChange) => void): () => void;
}

/** Older ones are forgotten. */
const MOST_CHANGES = 1_000;

type Why = MountChange['why'];

export function createMounts({ clock, log }: { readonly clock: Clock; readonly log: Log }): Mounts {
  const mounts = new Map<string, Mount>();
  const serials = new Map<string, ReturnType<typeof createSerial>>();
  const changes: MountChange[] = [];
  const watchers = new Set<(change: MountChange) => void>();
  let number = 0;

  const note = (change: Omit<MountChange, 'number'>): void => {
    number += 1;
    const numbered = { number, ...change };
    changes.push(numbered);
    if (changes.length > MOST_CHANGES) changes.shift();
    const { did, ...fields } = change;
    log[did === 'failed' ? 'warn' : 'info'](`mount.${did}`, fields);
    for (const watcher of watchers) watcher(numbered);
  };

  /** One after the other, of one volume. */
  const inTurn = <T>(volume: string, work: () => Promise<T>): Promise<T> => {
    const serial = serials.get(volume) ?? createSerial();
    serials.set(volume, serial);
    return serial(work);
  };

  const store = (mount: Omit<Mount, 'generation'>): Mount => {
    const generation = (mounts.get(mount.volume)?.generation ?? 0) + 1;
    const stored = { ...mount, generation };
    mounts.set(mount.volume, stored);
    return stored;
  };

  /** Does it, and says what came of it and how long it took. */
  const change = async (
    mount: Omit<Mount, 'generation'>,
    why: Why,
    work: () => Promise<unknown>,
  ): Promise<Mount> => {
    const { volume, at, server } = mount;
    const startedMs = clock.monotonicMs();
    const done = (): { volume: string; at: string; server: string | null; why: Why; tookMs: number } => ({
      ...{ volume, at, server, why },
      tookMs: Math.round(clock.monotonicMs() - startedMs),
    });
    try {
      await work();
      const stored = store(mount);
      note({ ...done(), did: server === null ? 'unmounted' : 'mounted' });
      return stored;
    } catch (error) {
      note({ ...done(), did: 'failed', error: RigError.from(error).message });
      throw error;
    }
  };

  const mountAt = (mount: Omit<Mount, 'generation' | 'server'>, server: string, why: Why): Promise<Mount> =>
    change({ ...mount, server }, why, async () => {
      const { address } = await lookup(server, { family: 4 });
      const options = `vers=4.1,proto=tcp,${mount.options},addr=${address}`;
      const words = ['mount', `${address}:/${mount.volume}`, mount.at, options];
      await askOnce(mount.kernel, words, MOUNT_WITHIN_MS);
    });

  const unmount = (mount: Mount, why: Why): Promise<Mount> =>
    change({ ...mount, server: null }, why, () =>
      askOnce(mount.kernel, ['unmount', mount.at], UNMOUNT_WITHIN_MS),
    );

  /** As the event says of the volume now. Whoever has it mounted there has nothing to do for `mount`. */
  const obey = async (told: Told): Promise<void> => {
    const mount = mounts.get(told.volume);
    if (mount === undefined) return;
    const why = `told to ${told.action}` as const;
    const isThere = mount.server !== null && mount.server === told.server;
    if (isThere && told.action === 'mount') return;
    const free = mount.server === null ? mount : await unmount(mount, why);
    if (told.server !== null) await mountAt(free, told.server, why);
  };

  return {
    mount: (kernel, { volume, server, at, options = DEFAULT_MOUNT_OPTIONS }) =>
      inTurn(volume, async () => {
        const before = mounts.get(volume);
        if (before !== undefined && before.server !== null) {
          throw new RigError(
            'conflict',
            `${volume} is mounted at ${before.at} already, from ${before.server}`,
          );
        }
        const taken = [...mounts.values()].find((other) => other.at === at && other.server !== null);
        if (taken !== undefined) throw new RigError('conflict', `${at} has ${taken.volume}`);
        return stateOf(await mountAt({ volume, at, options, kernel, by: kernel.by }, server, 'asked'));
      }),
    unmount: (volume) =>
      inTurn(volume, async () => {
        const mount = mounts.get(volume);
        if (mount === undefined) throw new RigError('not_found', `${volume} is not mounted`);
        const gone = mount.server === null ? mount : await unmount(mount, 'asked');
        // From now on nothing that it is told concerns it.
        mounts.delete(volume);
        return stateOf(gone);
      }),
    // What fails is noted, and the next event says what to do then.
    hear: (told) => void inTurn(told.volume, () => obey(told)).catch(() => undefined),
    find: (volume) => mounts.get(volume),
    list: () => [...mounts.values()].map(stateOf),
    noteOpened: ({ volume, at, server }, file, tookMs) =>
      note({ volume, at, server, did: 'opened', why: 'asked', tookMs, file }),
    lose: (error) => {
      for (const { volume, at } of mounts.values())
        note({ volume, at, server: null, did: 'failed', why: 'asked', tookMs: 0, error });
      mounts.clear();
    },
    changes: () => changes,
    watch: (onChange) => {
      watchers.add(onChange);
      return () => void watchers.delete(onChange);
    },
  };
}

const stateOf = ({ volume, at, server, options, by }: Mount): MountState => ({
  volume,
  at,
  server,
  options,
  by,
});
