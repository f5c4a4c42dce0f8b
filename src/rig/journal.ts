// The run's own record: every event goes to disk as it happens, so that a rig
// that dies loses nothing, and stays in memory for those who watch.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { EtcdEvent, HistoryEvent, MachineEvent } from './history.ts';
import { ETCD_EVENTS_FILE, HISTORY_FILE } from './record-files.ts';
import { redactedEtcdEvent, redactedHistoryEvent } from './redact.ts';

/** An event without its time, which the journal adds. */
export type Unstamped<Event> = Event extends unknown ? Omit<Event, 'atMs'> : never;

/** Secrets are left out (redact.ts). Recording throws `machine` when the disk doesn't take it: an experiment that can't be recorded must end. */
export interface Journal extends Disposable {
  /** Milliseconds since the run began. */
  atMs(): number;
  record(event: Unstamped<HistoryEvent>): void;
  recordEtcd(event: Unstamped<EtcdEvent>): void;
  readonly etcd: readonly EtcdEvent[];
  /** The `machine` events by now. */
  readonly machine: readonly MachineEvent[];
  /** Writes what was held back. */
  flush(): void;
}

/**
 * `folder` must exist. With `isDeferred` events are held back until there are many, or the journal is flushed or
 * disposed of; default false. Throws `machine` when it can't be written to.
 */
export function openJournal(options: {
  readonly clock: Clock;
  readonly folder: string;
  readonly isDeferred?: boolean;
}): Journal {
  const { clock, folder, isDeferred = false } = options;
  const mostHeld = isDeferred ? MOST_HELD : 0;
  const history = openLines(join(folder, HISTORY_FILE), mostHeld);
  const etcdEvents = openLines(join(folder, ETCD_EVENTS_FILE), mostHeld);
  const startedMs = clock.monotonicMs();
  const etcd: EtcdEvent[] = [];
  const machine: MachineEvent[] = [];
  const atMs = (): number => Math.round((clock.monotonicMs() - startedMs) * 10) / 10;
  return {
    atMs,
    etcd,
    machine,
    record: (event) => {
      const stamped = redactedHistoryEvent({ atMs: atMs(), ...event } as HistoryEvent);
      history.append(stamped);
      if (stamped.type === 'machine') machine.push(stamped);
    },
    recordEtcd: (event) => {
      const stamped = redactedEtcdEvent({ atMs: atMs(), ...event } as EtcdEvent);
      etcdEvents.append(stamped);
      etcd.push(stamped);
    },
    flush: () => {
      history.flush();
      etcdEvents.flush();
    },
    [Symbol.dispose]: () => {
      history.close();
      etcdEvents.close();
    },
  };
}

/** Lines that are held back, at most, where any are. */
const MOST_HELD = 1_000;

interface Lines {
  append(value: unknown): void;
  flush(): void;
  close(): void;
}

function openLines(path: string, mostHeld: number): Lines {
  const attempt = <T>(what: () => T): T => {
    try {
      return what();
    } catch (error) {
      throw recordError(path, error);
    }
  };
  const file = attempt(() => openSync(path, 'wx'));
  const held: string[] = [];
  const flush = (): void => {
    const lines = Buffer.from(held.splice(0).join(''));
    let written = 0;
    while (written < lines.length) written += attempt(() => writeSync(file, lines, written));
  };
  return {
    append: (value) => {
      held.push(`${JSON.stringify(value)}\n`);
      if (held.length > mostHeld) flush();
    },
    flush,
    close: () => {
      flush();
      closeSync(file);
    },
  };
}

/** What can't be recorded, and what to do about it. */
export function recordError(path: string, error: unknown): RigError {
  const { code, message } = error as { code?: string; message?: string };
  const next =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'Free some disk space, or choose another place with --out.'
      : 'Choose a folder that can be written to with --out.';
  return new RigError('machine', `cannot write ${path}: ${message ?? String(error)}`, { next, cause: error });
}
