// What goes into a run's own record, as it happens.

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { EtcdEvent, HistoryEvent, MachineEvent } from './history.ts';
import { ETCD_EVENTS_FILE, HISTORY_FILE } from './record-files.ts';
import { redactedEtcdEvent, redactedHistoryEvent } from './redact.ts';

/** An event without its time, which the journal adds. */
export type Unstamped<Event> = Event extends unknown ? Omit<Event, 'atMs'> : never;

/** Secrets are left out (redact.ts). */
export interface Journal {
  /** Milliseconds since the run began. */
  atMs(): number;
  record(event: Unstamped<HistoryEvent>): void;
  recordEtcd(event: Unstamped<EtcdEvent>): void;
  readonly etcd: readonly EtcdEvent[];
  /** The `machine` events by now. */
  readonly machine: readonly MachineEvent[];
}

/** One that has files open. */
export interface OpenJournal extends Journal, Disposable {}

/** `keep` is handed every event of the history; those of etcd the journal keeps itself, and hands on. */
export function createJournal(options: {
  readonly clock: Clock;
  readonly keep: (event: HistoryEvent) => void;
  readonly keepEtcd?: (event: EtcdEvent) => void;
}): Journal {
  const { clock, keep, keepEtcd } = options;
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
      keep(stamped);
      if (stamped.type === 'machine') machine.push(stamped);
    },
    recordEtcd: (event) => {
      const stamped = redactedEtcdEvent({ atMs: atMs(), ...event } as EtcdEvent);
      keepEtcd?.(stamped);
      etcd.push(stamped);
    },
  };
}

/**
 * Every event goes to disk as it happens, so that a rig that dies loses nothing. `folder` must exist. Opening and
 * recording throw `machine` when the disk doesn't take it: an experiment that can't be recorded must end.
 */
export function openJournal({
  clock,
  folder,
}: {
  readonly clock: Clock;
  readonly folder: string;
}): OpenJournal {
  const history = openLines(join(folder, HISTORY_FILE));
  const etcdEvents = openLines(join(folder, ETCD_EVENTS_FILE));
  const journal = createJournal({ clock, keep: history.append, keepEtcd: etcdEvents.append });
  return {
    ...journal,
    [Symbol.dispose]: () => {
      history.close();
      etcdEvents.close();
    },
  };
}

/** As {@link openJournal} writes them. */
export const linesOf = (events: readonly unknown[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

interface Lines {
  append(value: unknown): void;
  close(): void;
}

function openLines(path: string): Lines {
  const attempt = <T>(what: () => T): T => {
    try {
      return what();
    } catch (error) {
      throw recordError(path, error);
    }
  };
  const file = attempt(() => openSync(path, 'wx'));
  return {
    append: (value) => {
      const line = Buffer.from(linesOf([value]));
      let written = 0;
      while (written < line.length) written += attempt(() => writeSync(file, line, written));
    },
    close: () => closeSync(file),
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
