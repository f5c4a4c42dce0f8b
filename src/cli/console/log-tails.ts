// What was appended to log files since they were read last, as lines of the console.

import { open } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { mapConcurrently } from '../../base/concurrent.ts';
import type { ConsoleLogLine } from '../../rig/console/log-lines.ts';
import { logRecordOf } from '../../rig/log-record.ts';
import { lineOf } from './logs.ts';

/** Of a file at once; what is older is read there. */
const MOST_BYTES = 64 * 1024;
export const FILES_AT_ONCE = 16;

export type ReadTails = (names: readonly string[]) => Promise<readonly ConsoleLogLine[]>;

/** Up to where a file is read. */
interface Place {
  readonly file: string;
  readonly offset: number;
}

/** Reads of each file what it has not read yet, in the order of time. Never rejects: a file that can't be read has no lines. */
export function createTailReader(options: {
  readonly folder: string;
  readonly onUnreadable: (path: string, error: unknown) => void;
}): ReadTails {
  const { folder, onUnreadable } = options;
  const places = new Map<string, Place>();
  const linesOf = async (name: string): Promise<readonly ConsoleLogLine[]> => {
    const path = join(folder, name);
    try {
      const { texts, writtenMs, place } = await readOn(path, places.get(name));
      const node = basename(name, extname(name));
      const lines = texts.map((text) => lineOf(logRecordOf({ time: '', node, text })));
      places.set(name, place);
      return timed(lines, writtenMs);
    } catch (error) {
      onUnreadable(path, error);
      return [];
    }
  };
  return async (names) => {
    const all = await mapConcurrently(names, { concurrency: FILES_AT_ONCE, each: linesOf });
    return all.flat().sort((a, b) => a.atMs - b.atMs);
  };
}

async function readOn(path: string, known: Place | undefined) {
  await using opened = await open(path);
  const { ino, birthtimeMs, mtimeMs, size } = await opened.stat();
  // The next file often gets the inode of one that was removed.
  const file = `${ino} ${birthtimeMs}`;
  // Another one, or one that is shorter, began anew.
  const start = known?.file === file && known.offset <= size ? known.offset : 0;
  const from = Math.max(start, size - MOST_BYTES);
  const buffer = Buffer.alloc(size - from);
  const { bytesRead } = await opened.read(buffer, 0, buffer.length, from);
  // What comes after the last newline is being written.
  const length = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
  const texts = buffer.toString('utf8', 0, length).split('\n').slice(0, -1);
  return {
    // The first of them is cut where what is older is left out.
    texts: from > start ? texts.slice(1) : texts,
    writtenMs: mtimeMs,
    place: { file, offset: from + length },
  };
}

/** A line that doesn't say when, such as one of a stack, stays with the one before it. */
function timed(lines: readonly ConsoleLogLine[], writtenMs: number): readonly ConsoleLogLine[] {
  let atMs = lines.find((line) => line.atMs > 0)?.atMs ?? writtenMs;
  return lines.map((line) => {
    if (line.atMs > 0) atMs = line.atMs;
    return { ...line, atMs };
  });
}
