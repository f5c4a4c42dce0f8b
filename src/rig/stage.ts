// What a script's steps share while it is performed: the cluster, the record,
// and the names that the script has given to volumes and moments.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { oncePer } from '../base/once-per.ts';
import type { Random } from '../base/random.ts';
import { LEADER_KEY, VOLUMES_PREFIX, volumeKey } from '../kv/keys.ts';
import type { Leader } from '../model/node.ts';
import type { Volume } from '../model/volume.ts';
import type { Clients } from './clients.ts';
import type { Deployment } from './deployment.ts';
import type { Journal } from './journal.ts';
import type { RecordedKey, Recorder } from './recorder.ts';
import type { Target } from './scenario.ts';

export interface Stage {
  readonly clock: Clock;
  readonly random: Random;
  readonly deployment: Deployment;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly clients: Clients;
  readonly signal: AbortSignal;
}

/** A named moment of the script. */
export interface Mark {
  readonly atMs: number;
  /** Wall clock, to compare with the times of log lines. */
  readonly wallMs: number;
  /** The node whose engine led then. */
  readonly leader: string | undefined;
}

export interface Names {
  setMark(name: string): void;
  /** Throws `invalid` for a mark that the script has not set by then. */
  mark(name: string): Mark;
  setVolume(name: string, id: string): void;
  /** The id that a volume of the scenario got. Throws `not_found` when it was never created. */
  idOf(volume: string): string;
  /** The member that a target means now. Throws `not_found` when nobody leads. */
  resolve(target: Target): string;
}

export function createNames({ clock, journal, recorder }: Stage): Names {
  const volumes = new Map<string, string>();
  const marks = new Map<string, Mark>();
  const mark = (name: string): Mark => {
    const found = marks.get(name);
    if (found === undefined) throw new RigError('invalid', `the script has no mark '${name}' by then`);
    return found;
  };
  return {
    setMark: (name) =>
      void marks.set(name, { atMs: journal.atMs(), wallMs: clock.nowMs(), leader: leaderOf(recorder) }),
    mark,
    setVolume: (name, id) => void volumes.set(name, id),
    idOf: (name) => {
      const id = volumes.get(name);
      if (id === undefined) throw new RigError('not_found', `volume ${name} was never created`);
      return id;
    },
    resolve: (target) => {
      const [name, at] = target.split('@');
      if (name !== 'leader') return target;
      const node = at === undefined ? leaderOf(recorder) : mark(at).leader;
      if (node === undefined) throw new RigError('not_found', `nobody leads, so there is no ${target}`);
      return node;
    },
  };
}

/** The node whose engine leads, as the recorder last saw it. */
export function leaderOf(recorder: Recorder): string | undefined {
  const found = recorder.keys().get(LEADER_KEY);
  return found === undefined ? undefined : (JSON.parse(found.value) as Leader).node;
}

/** A volume as the recorder last saw it. */
export function volumeOf(recorder: Recorder, id: string): Volume | undefined {
  const found = recorder.keys().get(volumeKey(id));
  return found === undefined ? undefined : volumeIn(found);
}

/** Every volume, as the recorder last saw them. */
export function volumesOf(recorder: Recorder): readonly Volume[] {
  return [...recorder.keys()]
    .filter(([key]) => key.startsWith(VOLUMES_PREFIX))
    .map(([, found]) => volumeIn(found));
}

/** Whoever waits for something looks at the same again and again. */
const volumeIn = oncePer(({ value }: RecordedKey) => JSON.parse(value) as Volume);

/** While etcd is away the recorder shows what was true before: no ground to judge by. */
export function refuseStale(recorder: Recorder): void {
  if (!recorder.connected()) throw new RigError('unavailable', "the recorder doesn't reach etcd");
}
