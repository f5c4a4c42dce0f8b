// What a run is in which one thing is late, and a beginning that several have.

import * as change from '../../../../src/model/changes.ts';
import type { CheckName } from '../../../../src/rig/checks/catalogue.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { by, type HistoryBuilder, VOLUME_ID } from './history.ts';
import { ORDER } from './runs.ts';

/** A bound of a check that leaves time for work. */
export interface Bound {
  readonly check: CheckName;
  /** What may take a while, for people. */
  readonly what: string;
  /** What passes by the settings alone, and what is left for work. */
  readonly waitMs: number;
  readonly workMs: number;
  readonly run: (lateMs: number) => RecordedRun;
  /** Within its time it is wrong as well. */
  readonly isAlwaysWrong?: boolean;
}

/** A volume's first assignment, and whatever comes next. */
export function placed(history: HistoryBuilder, node = 'node2') {
  const term = history.at(100).elects('node1', '21');
  const volume = history.at(4_900).write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));
  return {
    term,
    volume: history.at(5_000).write(change.assigned(volume, node, by('engine', 'node1', term))),
  };
}
