// What a cluster was started from, in its folder, so that whoever comes later can
// handle it. A run has that in its run.json.

import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { parseStored } from '../../model/parse.ts';
import type { RunMode } from '../history.ts';
import { recordError } from '../journal.ts';
import { RUN_FILE, readRunFile } from '../record-files.ts';
import { type Topology, topologySchema } from '../topology.ts';

/** A {@link ClusterFile}, of a cluster that `rig up` has started. */
const CLUSTER_FILE = 'cluster.json';

const clusterFileSchema = z.object({ runId: z.string(), topology: topologySchema });

export interface ClusterFile {
  /** Undefined: containers. */
  readonly mode?: RunMode | undefined;
  readonly runId: string;
  /** As it was started. */
  readonly topology: Topology;
  /** False while a run has not come to its end: its own rig is at work in it, or was killed. */
  readonly isOver: boolean;
  /** Whether its cluster is to outlive its rig. */
  readonly isKept: boolean;
}

export function writeClusterFile(
  folder: string,
  { runId, topology }: Pick<ClusterFile, 'runId' | 'topology'>,
): void {
  const path = join(folder, CLUSTER_FILE);
  try {
    writeFileSync(path, `${JSON.stringify({ runId, topology }, undefined, 2)}\n`);
  } catch (error) {
    throw recordError(path, error);
  }
}

/** Throws `invalid` when the folder has neither file, or what it has is malformed. */
export async function readClusterFile(folder: string): Promise<ClusterFile> {
  const path = join(folder, CLUSTER_FILE);
  if (existsSync(path)) {
    const value = await readFile(path, 'utf8');
    return { ...parseStored(clusterFileSchema, { key: path, value }), isOver: true, isKept: true };
  }
  if (!existsSync(join(folder, RUN_FILE))) {
    throw new RigError('invalid', `${folder} has neither ${CLUSTER_FILE} nor ${RUN_FILE}`, {
      next: 'Name the folder of a run that is kept, or of a cluster that rig up has started.',
    });
  }
  const { runId, topology, mode, etcdComplete, interrupted, kept = false } = await readRunFile(folder);
  const isOver = etcdComplete !== undefined || interrupted !== undefined;
  return { runId, topology, mode, isOver, isKept: kept };
}
