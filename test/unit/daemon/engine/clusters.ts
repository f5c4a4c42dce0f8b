// Random clusters for properties: every state that a volume can be in, on nodes that are well, away, draining
// or broken.

import fc from 'fast-check';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import { MOVE_FAILED_PREFIX } from '../../../../src/model/changes.ts';
import type { MoveCause, Task, Volume } from '../../../../src/model/volume.ts';
import { actualOf, nodeOf, volumeOf } from '../../model/volumes.ts';
import { idOf, specOf } from './support.ts';

const NODES = ['a', 'b', 'c', 'd'];
const COPY = '0123456789abcdef-1';
const MAX_VOLUMES = 14;

const labels = fc.constantFrom({}, { disk: 'ssd' }, { disk: 'hdd' });
const size = fc.oneof(
  fc.integer({ min: 1, max: 24 }).map((quarters) => quarters / 4),
  fc.integer({ min: 1, max: 60 }).map((tenths) => tenths / 10),
);
const nodeName = fc.constantFrom(...NODES);

const node = fc.record({
  labels,
  capacity: fc.integer({ min: 1, max: 300 }).map((tenths) => tenths / 10),
  available: fc.integer({ min: 0, max: 400 }).map((tenths) => tenths / 10),
  disk: fc.oneof(
    { weight: 4, arbitrary: fc.constant('ok' as const) },
    { weight: 1, arbitrary: fc.constantFrom('full' as const, 'read-only' as const, 'failing' as const) },
  ),
});

interface Draft {
  readonly size: number;
  readonly had: number;
  readonly constraints: Record<string, string>;
  readonly node: string;
  readonly other: string;
  readonly parent: string;
  readonly cause: MoveCause;
  readonly isChange: boolean;
  readonly isSome: boolean;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  size,
  had: size,
  constraints: labels,
  node: nodeName,
  other: nodeName,
  parent: fc.nat(MAX_VOLUMES - 1).map(idOf),
  cause: fc.constantFrom('asked', 'drain', 'rebalance', 'fit'),
  isChange: fc.boolean(),
  isSome: fc.boolean(),
});

/** How a volume can be, as the daemon's own changes leave it. */
const KINDS: Readonly<Record<string, (draft: Draft) => Volume>> = {
  scheduling: ({ size, constraints, node, isSome }) =>
    volumeOf({ node: isSome ? node : null, requested: { reserved_size: size, constraints } }),
  ready: (draft) => created(draft, 'ready'),
  resizing: (draft) => created({ ...draft, isChange: true }, 'resizing'),
  deleting: (draft) => created(draft, 'deleting'),
  doomed: ({ node, isSome }) => volumeOf({ state: 'deleting', node: isSome ? node : null }),
  failed: (draft) => created(draft, 'error', draft.isSome ? moveTask(draft, draft.other) : null),
  uncreated: ({ size, constraints, node, isSome, parent }) =>
    volumeOf(
      { state: 'error', node, requested: { reserved_size: size, constraints } },
      { parent_id: isSome ? parent : null, error: 'io', error_count: 1 },
    ),
  pending: (draft) => created({ ...draft, isChange: true }, 'pending'),
  ordered: (draft) => created(draft, 'pending', { kind: 'rewrite', compression: 'zlib' }),
  asked: (draft) =>
    created(draft, 'pending', moveTask({ ...draft, cause: 'asked' }, draft.isSome ? draft.other : null)),
  cancelled: (draft) => created(draft, 'pending', moveTask(draft, null)),
  clone: ({ size, constraints, parent }) =>
    volumeOf({ state: 'pending', requested: { reserved_size: size, constraints } }, { parent_id: parent }),
  cloning: ({ size, node, parent }) =>
    volumeOf(
      { state: 'cloning', node, requested: { reserved_size: size, constraints: {} } },
      { parent_id: parent },
    ),
  made: ({ size, constraints, node }) => half({ node, requested: { reserved_size: size, constraints } }),
  'made clone': ({ size, node, parent }) =>
    half(
      { state: 'cloning', node, requested: { reserved_size: size, constraints: {} } },
      { parent_id: parent },
    ),
  failing: (draft) => {
    const moving = created(draft, 'moving', moveTask(draft, draft.other));
    const isUnderWay = draft.node !== draft.other;
    const error = isUnderWay ? `${MOVE_FAILED_PREFIX}io` : 'io';
    const copy = isUnderWay ? null : COPY;
    const task = { ...moveTask(draft, draft.other), copy };
    return { ...moving, control: { ...moving.control, error, task } };
  },
  rewriting: (draft) => created(draft, 'rewriting', { kind: 'rewrite', compression: null }),
  moving: (draft) =>
    draft.node === draft.other
      ? created(draft, 'moving', { ...moveTask(draft, draft.other), copy: COPY })
      : created(draft, 'moving', moveTask(draft, draft.other)),
};

function moveTask({ cause }: Draft, node: string | null): Extract<Task, { kind: 'move' }> {
  return { kind: 'move', cause, node, copy: null };
}

/** It is on the disk, and nobody is let in yet. */
function half(fields: Partial<Volume>, control: Partial<Volume['control']> = {}): Volume {
  const volume = volumeOf(fields, control);
  return { ...volume, actual: actualOf(volume.requested) };
}

function created(draft: Draft, state: Volume['state'], task: Task | null = null): Volume {
  const { size, had, constraints, node, isChange } = draft;
  return volumeOf(
    {
      state,
      node,
      requested: { reserved_size: isChange ? size : had, constraints },
      actual: actualOf({ reserved_size: had, constraints: isChange ? {} : constraints }),
    },
    { task, error: state === 'error' ? 'io' : null, error_count: state === 'error' ? 1 : 0 },
  );
}

const volume = fc.tuple(fc.constantFrom(...Object.keys(KINDS)), draft);

export const clusters: fc.Arbitrary<ClusterState> = fc
  .record({
    nodes: fc.uniqueArray(fc.tuple(nodeName, node), { selector: ([name]) => name }),
    draining: fc.subarray(NODES, { maxLength: 2 }),
    volumes: fc.array(volume, { maxLength: MAX_VOLUMES }),
  })
  .map(({ nodes, draining, volumes }) => ({
    nodes: nodes.map(([name, { disk, ...fields }]) =>
      nodeOf(name, { ...fields, disk: { state: disk, reason: disk === 'ok' ? null : 'it is' } }),
    ),
    specs: new Map(
      nodes.map(([name, { labels, capacity }]) => [
        name,
        specOf({ labels, capacity, draining: draining.includes(name) }),
      ]),
    ),
    volumes: volumes.map(([kind, draft], index): Volume => {
      const make = KINDS[kind];
      if (make === undefined) throw new Error(`there is no ${kind}`);
      const made = make(draft);
      // Nobody is a clone of its own.
      const parent = made.control.parent_id === idOf(index) ? idOf(index + 1) : made.control.parent_id;
      return { ...made, id: idOf(index), control: { ...made.control, parent_id: parent } };
    }),
  }));

/** With two more nodes that hold whatever there is. */
export const roomyClusters: fc.Arbitrary<ClusterState> = clusters.map((cluster) => {
  const roomy = ['ssd', 'hdd'].map((disk) =>
    nodeOf(`roomy-${disk}`, { labels: { disk }, capacity: 10_000, available: 10_000 }),
  );
  return { ...cluster, nodes: [...cluster.nodes, ...roomy] };
});
