// States for plans, and what becomes of them.

import type { Action } from '../../../../src/daemon/engine/action.ts';
import { writeOf } from '../../../../src/daemon/engine/apply.ts';
import { type PlanOptions, plan } from '../../../../src/daemon/engine/plan.ts';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import type { Author } from '../../../../src/model/changes.ts';
import type { NodeSpec } from '../../../../src/model/node.ts';
import { type Volume, volumeSchema } from '../../../../src/model/volume.ts';
import { ID, nodeOf, readyVolume, T0 } from '../../model/volumes.ts';

export const AUTHOR: Author = {
  writer: { role: 'engine', node: 'a', term: 1 },
  nowMs: Date.parse(T0) + 3_600_000,
};
export const AGENT: Author = { ...AUTHOR, writer: { role: 'agent', node: 'a', term: null } };

export const idOf = (index: number): string => `v${index.toString(16).padStart(16, '0')}`;

/** Every failure was seen long ago. */
export const NOW: PlanOptions = {
  nowMs: 3_600_000,
  failures: new Map(
    [ID, ...Array.from({ length: 24 }, (_, index) => idOf(index))].map((id) => [
      id,
      { modRevision: 1, seenMs: 0 },
    ]),
  ),
  setbacks: new Map(),
  maxMoves: 2,
  rebalancePercent: 100,
};

/** Nodes a and b, 10 GiB each, unless told otherwise. */
export const state = (fields: Partial<ClusterState>): ClusterState => ({
  volumes: [],
  nodes: [nodeOf('a'), nodeOf('b')],
  specs: new Map(),
  ...fields,
});

export const specOf = (fields: Partial<NodeSpec> = {}): NodeSpec => ({
  volume_path: '/srv',
  capacity: 10,
  labels: {},
  draining: false,
  ...fields,
});

/** One that is ready and as large as it asked to be. */
export const sized = (
  index: number,
  node: string,
  gib: number,
  fields: Partial<Volume> = {},
  control: Partial<Volume['control']> = {},
): Volume => {
  const ready = readyVolume({ id: idOf(index), node, requested: { reserved_size: gib, constraints: {} } });
  const actual = ready.actual === null ? null : { ...ready.actual, reserved_size: gib };
  return { ...ready, actual, ...fields, control: { ...ready.control, ...control } };
};

export const actionsFor = (fields: Partial<ClusterState>, options: Partial<PlanOptions> = {}) =>
  plan(state(fields), { ...NOW, ...options }).actions;

/** The state after an action, as etcd would hold it. */
export function applied(before: ClusterState, action: Action): ClusterState {
  const write = writeOf(action, AUTHOR);
  const volumes = before.volumes.flatMap((volume) => {
    if (volume.id !== action.volume.id) return [volume];
    return write.kind === 'delete' ? [] : [volumeSchema.parse(JSON.parse(write.value))];
  });
  return { ...before, volumes };
}
