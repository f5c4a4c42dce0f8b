// What one consumer has to be told, by etcd's own history: of each change of its
// access, of each move of what it has mounted, and of each node that (re)appears
// and serves what it may mount.

import { isHandedOver, type Volume } from '../../model/volume.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';
import type { Action } from '../instructions.ts';
import { ruleFor } from './exports.ts';
import { type NodeStep, nodeAt, nodeSteps } from './node-history.ts';
import { describeStep, type VolumeStep, volumeSteps } from './volume-history.ts';

export interface Wanted {
  readonly event: EtcdEvent;
  readonly volume: string;
  /** What happened, for people. */
  readonly cause: string;
  readonly actions: readonly Action[];
  readonly server: string | null;
}

/** What a consumer knew of a volume when nobody served it any more. */
interface Missed {
  readonly had: string;
  readonly moved: boolean;
}

/** In order. At most one for a volume and a revision. */
export function wantedBy(run: RecordedRun, address: string): readonly Wanted[] {
  const ofVolumes = new Map(volumeSteps(run).map((step) => [step.event, step]));
  const ofNodes = new Map([...nodeSteps(run).values()].flat().map((step) => [step.event, step]));
  const volumes = new Map<string, Volume>();
  const missed = new Map<string, Missed>();
  const left = new Map<string, string>();

  const stepped = (step: VolumeStep): readonly Wanted[] => {
    const { event, id, before, after } = step;
    if (after === undefined) volumes.delete(id);
    else volumes.set(id, after);
    const had = rulesFor(before, address);
    const has = rulesFor(after, address);
    const moved = isInHandover(before) && !isInHandover(after);
    const server = serverAt(run, after, event.revision);
    if (after === undefined || server !== undefined) missed.delete(id);
    else if (before !== undefined) {
      const earlier = missed.get(id);
      missed.set(id, { had: earlier?.had ?? had, moved: moved || earlier?.moved === true });
    }
    const wanted = { event, volume: id, cause: describeStep(step) };
    if (has === '') return had === '' ? [] : [{ ...wanted, actions: ['unmount'], server: null }];
    // Nobody serves it: whoever is to have it is told when somebody does.
    if ((had === has && !moved) || server === undefined) return [];
    return [{ ...wanted, actions: had === '' ? ['mount', 'remount'] : ['remount'], server }];
  };

  const appeared = ({ event, name, before, after }: NodeStep): readonly Wanted[] => {
    if (after === undefined) {
      if (before !== undefined) left.set(name, before.address);
      return [];
    }
    if (before?.address === after.address) return [];
    const isElsewhere = left.get(name) !== after.address;
    left.delete(name);
    return [...volumes.values()].flatMap((volume): readonly Wanted[] => {
      if (volume.node !== name || serverAt(run, volume, event.revision) === undefined) return [];
      const has = rulesFor(volume, address);
      const { had, moved } = missed.get(volume.id) ?? { had: has, moved: false };
      missed.delete(volume.id);
      if (has === '') return [];
      const hasToFollow = had !== '' && (had !== has || moved || isElsewhere);
      const cause = `${name} is registered at ${after.address}, and has ${volume.id}`;
      const actions: readonly Action[] = hasToFollow ? ['remount'] : ['mount', 'remount'];
      return [{ event, volume: volume.id, cause, actions, server: after.address }];
    });
  };

  return run.etcd.flatMap((event): readonly Wanted[] => {
    const volume = ofVolumes.get(event);
    if (volume !== undefined) return stepped(volume);
    const node = ofNodes.get(event);
    return node === undefined ? [] : appeared(node);
  });
}

/** Where the volume is to be mounted; undefined while nobody serves it. */
export function serverAt(run: RecordedRun, volume: Volume | undefined, revision: number): string | undefined {
  if (volume?.node == null || volume.actual === null || isHandedOver(volume)) return undefined;
  // Made, and about to be exported for the first time.
  if (volume.state === 'scheduling' || volume.state === 'cloning') return undefined;
  return nodeAt(run, volume.node, revision)?.address;
}

/** What the address may do by the narrowest rule that holds it, as text; empty for nothing. Promised on the way to another node. */
export function rulesFor(volume: Volume | undefined, address: string): string {
  if (volume?.actual == null || volume.state === 'deleting') return '';
  const rules = isHandedOver(volume) ? volume.exports : volume.actual.exports;
  const narrowest = ruleFor(rules, address);
  return narrowest === undefined ? '' : `${narrowest.access} ${narrowest.squash}`;
}

const isInHandover = (volume: Volume | undefined): boolean => volume !== undefined && isHandedOver(volume);
