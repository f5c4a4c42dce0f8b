// Which kind of console is meant: of a cluster in containers, of a fleet, or of a run that is over.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { readClusterFile } from '../../rig/by-hand/cluster-file.ts';
import { RUN_FILE } from '../../rig/record-files.ts';
import { nameOf } from '../cluster-name.ts';
import type { ClusterFlags } from '../clusters.ts';
import { openCluster } from './cluster.ts';
import { openFleet } from './fleet.ts';
import { openRun } from './run.ts';
import type { ConsoleSource } from './source.ts';

interface Rim {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Throws `invalid` for a folder that is none of these, and where two things are named; and what opening it throws. */
export async function openConsoleSource(
  { folder, flags }: { readonly folder: string | undefined; readonly flags: ClusterFlags },
  rim: Rim,
): Promise<ConsoleSource> {
  if (folder === undefined) return openCluster(flags, rim);
  if (flags.name !== undefined || flags.run !== undefined) {
    throw new RigError('invalid', 'a folder and --name or --run each name something', {
      next: 'Give one of them.',
    });
  }
  if (existsSync(join(folder, RUN_FILE))) return openRun(folder, rim.clock);
  if (await isFleet(folder)) return openFleet(folder, rim);
  const { runId } = await readClusterFile(folder);
  return openCluster({ name: nameOf(runId) ?? runId }, rim);
}

/** A fleet's declaration and that of `rig up` go by one name; only the former has a version. */
async function isFleet(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'cluster.json'), 'utf8').catch(() => '{}');
  try {
    return Object.hasOwn(JSON.parse(text) as object, 'version');
  } catch {
    // Who reads it next says what is wrong with it.
    return text.includes('"heartbeatSeconds"');
  }
}
