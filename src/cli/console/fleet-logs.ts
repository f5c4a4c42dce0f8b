// The logs of a fleet's nodes, for the console: a file each, which the process that runs it appends to
// (fleet/log-files.ts). Of thousands only those are read that change.

import { watch } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { whenAborted } from '../../base/abortable.ts';
import type { Clock } from '../../base/clock.ts';
import { mapConcurrently } from '../../base/concurrent.ts';
import type { ConsoleLogLine } from '../../rig/console/log-lines.ts';
import { logRecordOf } from '../../rig/log-record.ts';
import type { Hub } from './hub.ts';
import { lineOf } from './logs.ts';

const SUFFIX = '.log';
/** What was logged before is shown of so many. */
const NEWEST_FILES = 100;
/** Of a file at once; what is older is read there. */
const MOST_BYTES = 64 * 1024;
const FILES_AT_ONCE = 16;
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
  const read = createReader(folder);
  while (!signal.aborted) {
    // Of no fleet, or of one that has taken its folder with it.
    await followFolder(options, read).catch(() => undefined);
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

type Read = (names: readonly string[]) => Promise<readonly ConsoleLogLine[]>;

/** Resolves when the folder is another one, or the signal has fired. Rejects where there is none. */
async function followFolder({ hub, clock, folder, signal }: FleetLogs, read: Read): Promise<void> {
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
  try {
    telling = newestIn(folder).then(tell);
    await Promise.race([isOver.promise, telling.then(() => isOver.promise), whenAborted(signal)]);
  } finally {
    watcher.close();
    await telling.catch(() => undefined);
  }
}

async function newestIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(SUFFIX));
  const files = await mapConcurrently(names, {
    concurrency: FILES_AT_ONCE,
    each: async (name) => ({ name, changedMs: (await stat(join(folder, name))).mtimeMs }),
  });
  return [...files]
    .sort((a, b) => b.changedMs - a.changedMs)
    .slice(0, NEWEST_FILES)
    .map(({ name }) => name);
}

/** Reads of each file what it has not read yet, in the order of time. */
function createReader(folder: string): Read {
  const readUpTo = new Map<string, number>();
  const linesOf = async (name: string): Promise<readonly ConsoleLogLine[]> => {
    await using file = await open(join(folder, name));
    const { size } = await file.stat();
    const known = readUpTo.get(name) ?? 0;
    // One that is shorter began anew.
    const from = Math.max(known > size ? 0 : known, size - MOST_BYTES);
    const buffer = Buffer.alloc(size - from);
    const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
    // What comes after the last newline is being written.
    const length = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
    readUpTo.set(name, from + length);
    const lines = buffer.toString('utf8', 0, length).split('\n').slice(0, -1);
    // The first of them is cut where what is older is left out.
    const whole = from > known ? lines.slice(1) : lines;
    const node = basename(name, SUFFIX);
    return whole.map((text) => lineOf(logRecordOf({ time: '', node, text })));
  };
  return async (names) => {
    const all = await mapConcurrently(names, { concurrency: FILES_AT_ONCE, each: linesOf });
    return all.flat().sort((a, b) => a.atMs - b.atMs);
  };
}
