// The balance of the cluster: a node on which a larger part of the capacity is reserved than on the average
// of all gives volumes to others. A receiver never comes to stand where it would have to give, and every move
// brings the nodes closer together, so that no volume moves twice, and it ends.

import { gibToBytes } from '../../base/units.ts';
import { type Labels, satisfies } from '../../model/names.ts';
import { moveTaskOf, reservationsOf, type Volume, type VolumeReservation } from '../../model/volume.ts';
import type { Action } from './action.ts';
import { depart, moveWishOf } from './depart.ts';
import type { Planning } from './planning.ts';
import { constraintsKey, type NodeRoom } from './room.ts';

/** Of fractions: below this, two are the same. */
const EPSILON = 1e-9;

/** A node as it will be when all moves under way have ended. */
interface Weight {
  readonly room: NodeRoom;
  reservedBytes: number;
}

const fractionOf = ({ room, reservedBytes }: Weight): number => reservedBytes / room.capacityBytes;

const isLighter = (a: Weight, b: Weight): number =>
  fractionOf(a) - fractionOf(b) || (a.room.name < b.room.name ? -1 : 1);

/**
 * Moves off nodes that are more than `percent` of their capacity above the average; 100: none.
 * For plans without other changes, as those would weigh in.
 */
export function rebalance(
  volumes: readonly Volume[],
  { planning, percent }: { readonly planning: Planning; readonly percent: number },
): readonly Action[] {
  const { room, moves } = planning;
  if (percent >= 100 || !moves.isOnlyRebalancing || !moves.mayBegin('rebalance')) return [];
  const weights = weightsOf(volumes, room.schedulable);
  const sum = (figure: (weight: Weight) => number): number =>
    [...weights.values()].reduce((total, weight) => total + figure(weight), 0);
  const most =
    sum(({ reservedBytes }) => reservedBytes) / sum(({ room }) => room.capacityBytes) + percent / 100;
  const isHeavy = (weight: Weight): boolean => fractionOf(weight) > most + EPSILON;
  const sources = [...weights.values()].filter(isHeavy).sort((a, b) => isLighter(b, a));
  // Nearly always: nobody need look for who could take something.
  if (sources.length === 0) return [];
  const movable = movableOn(new Set(sources.map((source) => source.room.name)), volumes, planning);
  const lightest = [...weights.values()].filter((weight) => !isHeavy(weight)).sort(isLighter);
  const actions: Action[] = [];
  for (const source of sources) {
    let receivers = createReceivers({ source, lightest, most });
    for (const volume of movable.get(source.room.name) ?? []) {
      if (!isHeavy(source)) break;
      if (!moves.mayBegin('rebalance')) return actions;
      const receiver = receivers.find(volume, planning.avoidance.nodesFor(volume));
      if (receiver === undefined) continue;
      const departure = depart(volume, { node: receiver.room.name, cause: 'rebalance' }, planning);
      if (departure.kind !== 'departed') continue;
      const { bytes } = moveWishOf(volume);
      source.reservedBytes -= bytes;
      receiver.reservedBytes += bytes;
      actions.push(departure.action);
      lightest.sort(isLighter);
      receivers = createReceivers({ source, lightest, most });
    }
  }
  return actions;
}

function weightsOf(volumes: readonly Volume[], rooms: readonly NodeRoom[]): Map<string, Weight> {
  const weights = new Map(rooms.map((room): [string, Weight] => [room.name, { room, reservedBytes: 0 }]));
  for (const volume of volumes) {
    for (const { node, bytes } of destinationOf(volume)) {
      const weight = weights.get(node);
      if (weight !== undefined) weight.reservedBytes += bytes;
    }
  }
  return weights;
}

/** What the volume will take, and where, when the work on it has ended. */
function destinationOf(volume: Volume): readonly VolumeReservation[] {
  const { state, node, requested } = volume;
  if (state === 'deleting') return [];
  if (node === null || (state !== 'moving' && state !== 'resizing')) return reservationsOf(volume);
  return [{ node: moveTaskOf(volume)?.node ?? node, bytes: gibToBytes(requested.reserved_size) }];
}

/** What the nodes can give away, the largest first: fewer moves. */
function movableOn(
  nodes: ReadonlySet<string>,
  volumes: readonly Volume[],
  { family, avoidance }: Planning,
): ReadonlyMap<string, readonly Volume[]> {
  const movable = new Map<string, Volume[]>();
  for (const volume of volumes) {
    if (volume.state !== 'ready' || volume.node === null || !nodes.has(volume.node)) continue;
    // A client wanted it there.
    if (volume.actual?.pinned === true) continue;
    // To wait for a clone isn't worth it, and what is yet to have another size will weigh something else.
    if (family.isBeingCloned(volume) || volume.requested.reserved_size !== volume.actual?.reserved_size)
      continue;
    const others = movable.get(volume.node);
    if (others === undefined) movable.set(volume.node, [volume]);
    else others.push(volume);
  }
  return new Map(
    [...movable].map(([node, some]): [string, readonly Volume[]] => {
      some.sort((a, b) => moveWishOf(b).bytes - moveWishOf(a).bytes || (a.id < b.id ? -1 : 1));
      return [node, avoidance.inTurn(some)];
    }),
  );
}

/**
 * Who can take something from the source, as things stand: nodes that stay below the line, and that come no nearer
 * to it than the source does, so that the sum over all nodes of reserved² / capacity falls.
 */
function createReceivers({
  source,
  lightest,
  most,
}: {
  readonly source: Weight;
  /** In this order. */
  readonly lightest: readonly Weight[];
  readonly most: number;
}) {
  const mostBytesFor = (weight: Weight): number => {
    const { capacityBytes, freeBytes, availableBytes } = weight.room;
    const lineBytes = most * capacityBytes - weight.reservedBytes;
    const difference = fractionOf(source) - fractionOf(weight) - EPSILON;
    const nearerBytes = (2 * difference) / (1 / source.room.capacityBytes + 1 / capacityBytes);
    return Math.min(freeBytes, availableBytes, lineBytes, nearerBytes);
  };
  const others = lightest
    .map((weight) => ({ weight, mostBytes: mostBytesFor(weight) }))
    .filter(({ mostBytes }) => mostBytes > 0);
  /** By constraints: what is larger need not be tried. */
  const limits = new Map<string, number>();
  const limitFor = (constraints: Labels): number => {
    const key = constraintsKey(constraints);
    const known = limits.get(key);
    if (known !== undefined) return known;
    const limit = others.reduce((largest, { weight, mostBytes }) => {
      return mostBytes > largest && satisfies(weight.room.labels, constraints) ? mostBytes : largest;
    }, 0);
    limits.set(key, limit);
    return limit;
  };
  return {
    /** The lightest that can take the volume, and is not to be avoided. */
    find: (volume: Volume, avoid: ReadonlySet<string>): Weight | undefined => {
      const { bytes, constraints } = moveWishOf(volume);
      if (bytes > limitFor(constraints)) return undefined;
      return others.find(({ weight, mostBytes }) => {
        const { name, labels } = weight.room;
        return mostBytes >= bytes && satisfies(labels, constraints) && !avoid.has(name);
      })?.weight;
    },
  };
}
