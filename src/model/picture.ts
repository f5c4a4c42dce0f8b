// What consumers are told of the cluster, derived from etcd: a picture of it as of one revision,
// and the events that lead from there to the next. No memory but the picture: whoever takes it up
// at any revision derives the same events from there on, but for one thing: when a node comes back,
// who didn't see what has changed while it was away has all its clients remount, to be safe.

import { oncePer } from '../base/once-per.ts';
import { type Absences, keepMissed, noAbsences, takeLeft, takeMissed } from './absences.ts';
import type { ClusterEvent, EventOf } from './event.ts';
import { accepted, clientsTold, clientsToldAll } from './instructions.ts';
import { mountOf } from './mount.ts';
import type { Leader, Node } from './node.ts';
import { isHandedOver, type Volume } from './volume.ts';

export interface Picture {
  readonly volumes: Map<string, Volume>;
  readonly nodes: Map<string, Node>;
  leader: Leader | undefined;
  readonly absences: Absences;
}

export function emptyPicture(): Picture {
  return { volumes: new Map(), nodes: new Map(), leader: undefined, absences: noAbsences() };
}

/** What one key of etcd says from a revision on; undefined when it is gone. */
export type Change =
  | { readonly kind: 'volume'; readonly id: string; readonly value: Volume | undefined }
  | { readonly kind: 'node'; readonly name: string; readonly value: Node | undefined }
  | { readonly kind: 'leader'; readonly value: Leader | undefined };

/**
 * The events of a revision, in a fixed order, given all that it changed. The picture is moved on in
 * place: copying thousands of volumes at every revision would cost more than all the rest.
 */
export function advance(
  picture: Picture,
  { revision, changes }: { readonly revision: number; readonly changes: readonly Change[] },
): readonly ClusterEvent[] {
  return changes.flatMap((change): readonly ClusterEvent[] => {
    if (change.kind === 'volume') return volumeEvents(picture, change, revision);
    if (change.kind === 'node') return nodeEvents(picture, change, revision);
    const before = picture.leader;
    picture.leader = change.value;
    if (before?.instance === change.value?.instance) return [];
    return [{ kind: 'leader', revision, node: change.value?.node ?? null }];
  });
}

/** Everything that there is, volumes and nodes in the order of their ids and names. */
export function snapshotOf(picture: Picture, revision: number): readonly EventOf<'snapshot'>[] {
  const items: EventOf<'snapshot'>['item'][] = [
    ...sorted(picture.nodes).map((node) => ({ of: 'node' as const, ...nodeFacts(node.name, node) })),
    { of: 'leader', node: picture.leader?.node ?? null },
    ...sorted(picture.volumes).map((volume) => ({
      of: 'volume' as const,
      ...volumeFacts(volume),
      ...whereabouts(picture, volume),
    })),
  ];
  return items.map((item) => ({ kind: 'snapshot', revision, item }));
}

function volumeEvents(
  picture: Picture,
  { id, value: after }: Extract<Change, { kind: 'volume' }>,
  revision: number,
): readonly ClusterEvent[] {
  const before = picture.volumes.get(id);
  if (after === undefined) picture.volumes.delete(id);
  else picture.volumes.set(id, after);
  const told = after ?? before;
  if (told === undefined) return [];
  const events: ClusterEvent[] = [];
  const change = before === undefined ? 'created' : after === undefined ? 'deleted' : 'changed';
  if (change !== 'changed' || shown(before) !== shown(after)) {
    events.push({ kind: 'volume', revision, change, ...volumeFacts(told) });
  }
  const where = after === undefined ? { exports: [], mount: null } : whereabouts(picture, after);
  const phase = phaseOf(before, after);
  // Whoever was accepted before a move has to follow it, whatever else has changed.
  const moved = phase === 'ready';
  const clients = clientsTold({ before, after, mount: where.mount, moved });
  if (after === undefined || where.mount !== null) picture.absences.missed.delete(id);
  else if (before !== undefined) keepMissed(picture.absences, { before, moved });
  if (phase !== undefined && after?.node !== undefined && after.node !== null) {
    const from = phase === 'handed-over' ? (before?.node ?? null) : null;
    events.push({ kind: 'move', revision, phase, from, to: after.node, volume: id, ...where, clients });
  } else if (clients.length > 0) {
    events.push({ kind: 'export', revision, volume: id, ...where, clients });
  }
  return events;
}

function phaseOf(before: Volume | undefined, after: Volume | undefined): 'handed-over' | 'ready' | undefined {
  const was = before !== undefined && isHandedOver(before);
  const is = after !== undefined && isHandedOver(after);
  if (!was && is) return 'handed-over';
  return was && !is && after !== undefined ? 'ready' : undefined;
}

function nodeEvents(
  picture: Picture,
  { name, value: after }: Extract<Change, { kind: 'node' }>,
  revision: number,
): readonly ClusterEvent[] {
  const before = picture.nodes.get(name);
  if (after === undefined) picture.nodes.delete(name);
  else picture.nodes.set(name, after);
  if (before === undefined && after === undefined) return [];
  const change = before === undefined ? 'joined' : after === undefined ? 'left' : 'changed';
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  const event: ClusterEvent = { kind: 'node', revision, change, ...nodeFacts(name, after) };
  if (after === undefined) {
    // Nobody knows whether it will come back under the same address.
    if (before !== undefined) picture.absences.left.set(name, before.address);
    return [event];
  }
  if (before?.address === after.address) return [event];
  // One that wasn't seen to leave may have been elsewhere, and so may its volumes.
  const elsewhere = takeLeft(picture.absences, name) !== after.address;
  const affected = sorted(picture.volumes).filter(({ node }) => node === name);
  return [
    event,
    ...affected.flatMap((volume): readonly ClusterEvent[] => {
      const where = whereabouts(picture, volume);
      if (where.mount === null) return [];
      const missed = takeMissed(picture.absences, volume);
      const moved = missed.moved || elsewhere;
      const clients = clientsToldAll({ ...missed, after: volume, mount: where.mount, moved });
      if (clients.length === 0) return [];
      return [{ kind: 'export', revision, volume: volume.id, ...where, clients }];
    }),
  ];
}

/** Where to mount it, and who may. While nobody serves it, nobody may. */
function whereabouts({ nodes }: Picture, volume: Volume) {
  const exports = isHandedOver(volume) ? [] : [...accepted(volume)];
  return { exports, mount: mountOf(volume, nodes.get(volume.node ?? '')) };
}

function volumeFacts({ id, name, state, node, control }: Volume) {
  return { volume: id, name, state, node, error: control.error };
}

function nodeFacts(node: string, value: Node | undefined) {
  return { node, address: value?.address ?? null, disk: value?.disk ?? null };
}

/** Each volume is looked at twice: when it is what has come, and when it is what was before. */
const shownOf = oncePer((volume: Volume): string => {
  const { updated: _updated, writer: _writer, ...control } = volume.control;
  return JSON.stringify({ ...volume, control });
});

/** What of a volume is worth an event: not who wrote it last, and when. */
const shown = (volume: Volume | undefined): string => (volume === undefined ? '' : shownOf(volume));

function sorted<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
