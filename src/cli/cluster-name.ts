// Names of clusters that are started by hand. They become parts of Docker's names.

import { join } from 'node:path';
import { RigError } from '../base/errors.ts';

export const DEFAULT_CLUSTER = 'default';

/** Throws `invalid` for what could not be part of a name. */
export function parseClusterName(text: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(text)) return text;
  throw new RigError('invalid', `'${text}' is no name for a cluster`, {
    next: 'Use 1-32 of a-z, 0-9 and inner -.',
  });
}

const PREFIX = 'up-';

export const runIdOf = (name: string): string => `${PREFIX}${name}`;

/** Undefined for the id of a run. */
export const nameOf = (runId: string): string | undefined =>
  runId.startsWith(PREFIX) ? runId.slice(PREFIX.length) : undefined;

/** Where the compose file of `rig up` lies while the cluster is there. */
export const upFolder = (name: string): string => join('runs', runIdOf(name));
