// Clones are made where their parents are, as soon as these are there to stay for a while.

import { gibToBytes } from '../../base/units.ts';
import { satisfies } from '../../model/names.ts';
import type { Volume } from '../../model/volume.ts';
import { type Action, delay } from './action.ts';
import type { Planning } from './planning.ts';
import { gibText } from './room.ts';

/**
 * On a draining node too: a parent that fits nowhere else would hold its clones up for ever, and
 * they will leave as it does. `parent` is undefined if it is gone.
 */
export function grantClone(volume: Volume, parent: Volume | undefined, planning: Planning): Action {
  const { room, family } = planning;
  if (parent === undefined) return delay(volume, `its parent ${volume.control.parent_id} is gone`);
  if (parent.state === 'deleting') return delay(volume, `its parent ${parent.id} is being deleted`);
  if (parent.actual === null) return delay(volume, `its parent ${parent.id} is not created yet`);
  if (family.isLeaving(parent.id)) {
    return delay(volume, `its parent ${parent.id} is moving to another node`);
  }
  const node = room.node(parent.node);
  if (node === undefined) return delay(volume, `node ${parent.node}, where its parent is, is away`);
  const where = `node ${node.name}, where its parent is,`;
  if (node.disk !== 'ok') return delay(volume, `the disk of ${where} is ${node.disk}`);
  const { constraints, reserved_size: sizeGib } = volume.requested;
  if (!satisfies(node.labels, constraints)) return delay(volume, `${where} does not satisfy the constraints`);
  const bytes = gibToBytes(sizeGib);
  if (node.freeBytes < bytes || node.availableBytes < bytes) {
    return delay(volume, `${where} has not ${gibText(bytes)} GiB free`);
  }
  room.take(node.name, bytes);
  return { kind: 'clone', volume, node: node.name };
}
