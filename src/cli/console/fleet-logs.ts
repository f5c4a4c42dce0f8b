// The logs of a fleet's nodes, for the console: a file each, which the process that runs it appends to
// (fleet/log-files.ts). Of thousands only those are read that change.

import { watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { mapConcurrently } from '../../base/concurrent.ts';
import type { Hub } from './hub.ts';
import { createTailReader, FILES_AT_ONCE, type ReadTails } from './log-tails.ts';

const SUFFIX = '.log';
/** What was logged before is shown of so many. */
const NEWEST_FILES = 100;
/** Lines that come so close to each other are told at once. */
const GATHER_MS = 40;
/** How often a folder is looked for that isn't there. */
const LOOK_EVERY_MS = 1000;

interface FleetLogs {
  readonly hub: Hub;
  readonly clock: Clock;
  /** With `<node>.log`. It may come and go, as the fleet does. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** Until the signal fires. */
export async function followFleetLogs(options: FleetLogs): Promise<void> {
  const { clock, folder, signal } = options;
  const onUnreadable = createComplaint(options);
  const read = createTailReader({ folder, onUnreadable });
  while (!signal.aborted) {
    await followFolder(options, read).catch((error: unknown) => onUnreadable(folder, error));
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

/** Tells once of each path what is wrong with it; nothing of one that isn't there. */
function createComplaint({ hub, clock }: FleetLogs): (path: string, error: unknown) => void {
  const told = new Set<string>();
  return (path, error) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || told.has(path)) return;
    told.add(path);
    const text = `cannot read ${path}: ${message}. Put it right, and its lines are shown.`;
    const line = { atMs: clock.nowMs(), member: 'console', role: '', level: 'warn', text } as const;
    hub.tell({ type: 'logs', lines: [line] });
  };
}

/** Resolves when the folder is another one, or the signal has fired. Rejects where there is none. */
async function followFolder({ hub, clock, folder, signal }: FleetLogs, read: ReadTails): Promise<void> {
  const changed = new Set<string>();
  const isOver = Promise.withResolvers<void>();
  const tell = async (names: readonly string[]): Promise<void> => {
    const lines = await read(names);
    if (lines.length > 0) hub.tell({ type: 'logs', lines });
  };
  let telling = Promise.resolve();
  const tellChanged = (): void => {
    const names = [...changed];
    changed.clear();
    telling = telling.then(() => tell(names)).catch(isOver.reject);
  };
  // Before what is there is read, so that nothing falls between.
  const watcher = watch(folder, (_event, name) => {
    if (name === null || !name.endsWith(SUFFIX)) isOver.resolve();
    else if (changed.add(name).size === 1) clock.after(GATHER_MS, tellChanged);
  });
  watcher.on('error', isOver.reject);
  const stop = (): void => isOver.resolve();
  signal.addEventListener('abort', stop);
  try {
    telling = newestIn(folder).then(tell).catch(isOver.reject);
    await isOver.promise;
  } finally {
    signal.removeEventListener('abort', stop);
    watcher.close();
    await telling;
  }
}

async function newestIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  const files = await mapConcurrently(names, {
    concurrency: FILES_AT_ONCE,
    each: async (name) => ({ name, changedMs: await changedAtMs(join(folder, name)) }),
  });
  return [...files]
    .sort((a, b) => b.changedMs - a.changedMs)
    .slice(0, NEWEST_FILES)
    .map(({ name }) => name);
}

/** 0 of what can't be looked at: why, whoever reads it is told. */
const changedAtMs = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
