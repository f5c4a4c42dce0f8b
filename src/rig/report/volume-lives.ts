// The life of each volume, in the order in which they matter to whoever asks what
// went wrong.

import { type VolumeStep, volumeSteps } from '../checks/volume-history.ts';
import type { RecordedRun } from '../history.ts';

export interface VolumeLife {
  readonly id: string;
  readonly name: string;
  readonly steps: readonly VolumeStep[];
}

/** Every volume: those that the findings name first, then those with an error or a malformed value. */
export function volumesByTrouble(run: RecordedRun, told: string): readonly VolumeLife[] {
  const lives = [...Map.groupBy(volumeSteps(run), ({ id }) => id)].map(([id, steps]) => ({
    id,
    steps,
    name: steps.findLast(({ after }) => after !== undefined)?.after?.name ?? id,
    place: placeOf({ id, steps }, told),
  }));
  return lives.sort((a, b) => a.place - b.place);
}

export const wentWrong = ({ after, malformed }: VolumeStep): boolean =>
  malformed !== undefined || after?.state === 'error';

/** In the order in which the findings name them. */
function placeOf({ id, steps }: Pick<VolumeLife, 'id' | 'steps'>, told: string): number {
  const named = told.indexOf(id);
  if (named >= 0) return named;
  return told.length + (steps.some(wentWrong) ? 0 : 1);
}
