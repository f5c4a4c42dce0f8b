// What a run leaves: on disk as it happens, or in memory until it is known whether anybody wants it.

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { makeFolder } from '../base/make-folder.ts';
import type { Deployment } from './deployment.ts';
import type { HistoryEvent, RecordedRun } from './history.ts';
import { createJournal, type Journal, linesOf, openJournal, recordError } from './journal.ts';
import { LOG_FILE, type LogRecord } from './log-record.ts';
import {
  ETCD_EVENTS_FILE,
  HISTORY_FILE,
  LOGS_FOLDER,
  readRecordedRun,
  recordedRunOf,
} from './record-files.ts';
import {
  createHeader,
  type HeaderOptions,
  openFolder,
  type RunHeader,
  writeHeader,
  writeRunFile,
} from './run-header.ts';

export interface RunRecord extends Disposable {
  readonly journal: Journal;
  readonly header: Pick<RunHeader, 'note'>;
  /** All that members have logged, once the experiment is over. */
  takeLogs(deployment: Deployment): Promise<void>;
  /** For the checks, once the logs are taken. */
  recorded(): Promise<RecordedRun>;
  /** All of it is on disk by then; again, where the first time failed or more has become known. */
  save(): void;
}

export interface RecordOptions extends Omit<HeaderOptions, 'startedAtMs'> {
  readonly clock: Clock;
  readonly folder: string;
}

/** Throws `machine` when it can't be written, as everything that is recorded does. */
export function recordOnDisk(options: RecordOptions): RunRecord {
  const { clock, folder } = options;
  openFolder(folder, options.scenario);
  const journal = openJournal({ clock, folder });
  return {
    journal,
    header: writeHeader({ ...options, startedAtMs: clock.nowMs() - journal.atMs() }),
    takeLogs: (deployment) => deployment.saveLogs(join(folder, LOGS_FOLDER)),
    recorded: () => readRecordedRun(folder),
    save: () => undefined,
    [Symbol.dispose]: journal[Symbol.dispose],
  };
}

/** Nothing is on disk before it is saved, which throws `machine` when it can't be written. Only of what keeps its logs in memory, too. */
export function recordInMemory(options: RecordOptions): RunRecord {
  const { clock, folder } = options;
  const history: HistoryEvent[] = [];
  const journal = createJournal({ clock, keep: (event) => void history.push(event) });
  const header = createHeader({ ...options, startedAtMs: clock.nowMs() - journal.atMs() }, () => undefined);
  let logs: ReadonlyMap<string, readonly LogRecord[]> = new Map();
  const write = (file: string, lines: readonly unknown[]): void => {
    const path = join(folder, file);
    try {
      makeFolder(dirname(path));
      writeFileSync(path, linesOf(lines));
    } catch (error) {
      throw recordError(path, error);
    }
  };
  return {
    journal,
    header,
    takeLogs: async (deployment) => {
      const found = deployment.logRecords?.();
      if (found === undefined) throw new RigError('unsupported', 'the logs of this mode are only on disk');
      // In the order in which they are read from a disk.
      logs = new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
    },
    recorded: async () => recordedRunOf(header.file, { history, etcd: journal.etcd, logs }),
    save: () => {
      openFolder(folder, options.scenario);
      writeRunFile(folder, header.file);
      write(HISTORY_FILE, history);
      write(ETCD_EVENTS_FILE, journal.etcd);
      // Also of a run that nobody has logged in.
      makeFolder(join(folder, LOGS_FOLDER));
      for (const [member, records] of logs) write(join(LOGS_FOLDER, member, LOG_FILE), records);
    },
    [Symbol.dispose]: () => undefined,
  };
}
