// The nodes' logs of a simulated cluster: a file each, JSON lines as a daemon prints them,
// written so often and not line by line.

import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrent.ts';
import { createLog, type Log, type LogFields, type LogLevel } from '../base/log.ts';

const WRITES_MS = 1000;
const FILES_AT_ONCE = 16;
/** What is not of one node. */
const OTHERS = 'fleet';

export interface LogFiles extends AsyncDisposable {
  readonly log: Log;
}

/** Lines go to `<folder>/<node>.log`, by their field `node`. */
export function openLogFiles(options: {
  readonly folder: string;
  readonly clock: Clock;
  readonly level: LogLevel;
}): LogFiles {
  const { folder, clock, level } = options;
  let pending = new Map<string, string[]>();
  let failure: unknown;
  const stopping = new AbortController();
  const lineOf = (node: unknown, line: string): void => {
    const name = typeof node === 'string' ? node : OTHERS;
    const lines = pending.get(name);
    if (lines === undefined) pending.set(name, [line]);
    else lines.push(line);
  };
  const writeOut = async (): Promise<void> => {
    const due = pending;
    pending = new Map();
    await mkdir(folder, { recursive: true });
    await mapConcurrently([...due], {
      concurrency: FILES_AT_ONCE,
      each: ([name, lines]) => appendFile(join(folder, `${name}.log`), lines.join('')),
    });
  };
  const writing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(WRITES_MS, stopping.signal).catch(() => undefined);
      // A disk that is full must not end the nodes; the end tells.
      await writeOut().catch((error: unknown) => {
        failure = error;
      });
    }
  };
  const done = writing();
  let node: unknown;
  const sink = createLog({ nowMs: clock.nowMs, level, write: (line) => lineOf(node, line) });
  const say =
    (how: LogLevel): Log['info'] =>
    (event, fields?: LogFields) => {
      node = fields?.node;
      sink[how](event, fields);
    };
  const log: Log = {
    ...{ debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
    child: (fields) => sink.child(fields),
  };
  return {
    log,
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await done;
      if (failure !== undefined) throw failure;
    },
  };
}
