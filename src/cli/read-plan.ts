// plan.json of a run, read back.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RigError } from '../base/errors.ts';
import { PLAN_FILE } from '../rig/record-files.ts';
import { type GivenPlan, parseGiven } from '../rig/shrink/given.ts';

/** Throws `invalid` when the folder has none, or one that is malformed. */
export async function readPlan(folder: string): Promise<GivenPlan> {
  const path = join(folder, PLAN_FILE);
  let input: unknown;
  try {
    input = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new RigError('invalid', `cannot read ${path}: ${(error as Error).message}`, {
      next: 'Name the folder of a run as the rig has left it.',
      cause: error,
    });
  }
  return parseGiven(input, path);
}
