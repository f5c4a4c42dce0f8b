// A recorded run from its folder, judged by the checks of today.

import { RigError } from '../base/errors.ts';
import { CHECK_NAMES, type CheckName } from '../rig/checks/catalogue.ts';
import { type Judged, judge } from '../rig/checks/judge.ts';
import type { RecordedRun } from '../rig/history.ts';
import { readRecordedRun, readRunFile } from '../rig/record-files.ts';

export interface JudgedRun extends Judged {
  readonly run: RecordedRun;
  readonly folder: string;
}

/** `only` names the checks; without it those that the scenario asked for. Throws `invalid` for a bad folder. */
export async function judgedRun(folder: string, only?: readonly string[]): Promise<JudgedRun> {
  const { checks } = await readRunFile(folder);
  const run = await readRecordedRun(folder);
  return { run, folder, ...judge(run, (only ?? checks).map(checkName)) };
}

function checkName(name: string): CheckName {
  const known = CHECK_NAMES.find((candidate) => candidate === name);
  if (known !== undefined) return known;
  throw new RigError('invalid', `there is no check '${name}'`, {
    next: `Choose from ${CHECK_NAMES.join(', ')}.`,
  });
}
