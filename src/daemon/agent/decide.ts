// What the agent does about one volume of its own, as a pure function of what
// etcd asks for and what is on the disk and in the NFS server.

import { gibToBytes } from '../../base/units.ts';
import { sameRules } from '../../model/export.ts';
import {
  type Compression,
  isOnItsWay,
  moveTaskOf,
  type Volume,
  type VolumeState,
} from '../../model/volume.ts';
import { type Conclusion, type Decision, type Deed, NOTHING, type Rewrite, type Seen } from './decision.ts';

/** It is whole and in use: should its data be gone, that is an error, and people must see it. */
const IN_USE: readonly VolumeState[] = ['ready', 'moving', 'rewriting'];

/**
 * Decides about a volume that is assigned to this node. Without `seen` it goes
 * by etcd alone, which is enough for most changes and saves looking; `look`
 * says that it isn't. `rewrite` is how a rewrite of it has ended, if one has.
 */
export function decide(volume: Volume, seen: Seen | undefined, rewrite?: Rewrite): Decision | 'look' {
  switch (volume.state) {
    case 'scheduling':
      return begin(volume, seen, { kind: 'create', quotaBytes: requestedBytes(volume) });
    case 'cloning':
      return clone(volume, seen);
    case 'resizing':
      return seen === undefined ? 'look' : resize(volume, seen);
    case 'moving':
      return isOnItsWay(volume) ? depart(volume, seen) : arrive(volume);
    case 'rewriting': {
      const { deeds, conclusion } = maintain(volume, seen);
      return { deeds, conclusion: conclusion?.kind === 'fail' ? conclusion : (rewrite ?? conclusion) };
    }
    case 'deleting':
      // Nobody may hold it open when it goes.
      return { deeds: [{ kind: 'unexport' }, { kind: 'trash' }], conclusion: { kind: 'forget' } };
    case 'ready':
    case 'pending':
    case 'error':
      return maintain(volume, seen);
  }
}

/**
 * Begins to exist on this node by the deed. Until that is written down (`actual`) the engine may give it to another
 * node, at any moment; so no client is let in before, however long the agent was paused.
 */
function begin(
  volume: Volume,
  seen: Seen | undefined,
  deed: Deed,
  how: { readonly compression?: Compression } = {},
): Decision {
  const isWhole = seen === undefined || seen.subvolume?.quotaBytes === requestedBytes(volume);
  const isMade = volume.actual !== null && isWhole;
  if (volume.actual === null && volume.exports.length > 0) {
    return { deeds: [deed], conclusion: { kind: 'record-made', ...how } };
  }
  const letIn: Deed = { kind: 'export', rules: volume.exports };
  return { deeds: isMade ? [letIn] : [deed, letIn], conclusion: { kind: 'complete', ...how } };
}

function clone(volume: Volume, seen: Seen | undefined): Decision | 'look' {
  if (seen === undefined && volume.actual === null) return 'look';
  const parentId = volume.control.parent_id;
  if (parentId === null) return failure('it is to be cloned, and has no parent');
  const quotaBytes = requestedBytes(volume);
  const deed: Deed = { kind: 'clone', parentId, quotaBytes };
  if (seen === undefined) return begin(volume, seen, deed);
  // What is here already is of an attempt that was cut short: it is as large as its parent was then.
  const source = seen.subvolume ?? seen.parent;
  if (source === undefined) return failure(`its parent ${parentId} is not on this disk`);
  const how = volume.actual === null ? { compression: seen.parentCompression ?? 'none' } : {};
  return tooSmall(quotaBytes, source.usedBytes) ?? begin(volume, seen, deed, how);
}

function resize(volume: Volume, seen: Seen): Decision {
  if (seen.subvolume === undefined) return missing();
  const quotaBytes = requestedBytes(volume);
  return (
    tooSmall(quotaBytes, seen.subvolume.usedBytes) ?? {
      deeds: [{ kind: 'set-quota', quotaBytes }, ...exportIfDifferent(volume, seen)],
      conclusion: { kind: 'complete' },
    }
  );
}

/** The mover sends it away; until it is handed over it is in use here. The size that it is to have there may not fit. */
function depart(volume: Volume, seen: Seen | undefined): Decision {
  const shrinks = requestedBytes(volume) < gibToBytes(volume.actual?.reserved_size ?? 0);
  const refusal =
    shrinks && seen?.subvolume !== undefined
      ? tooSmall(requestedBytes(volume), seen.subvolume.usedBytes)
      : undefined;
  return refusal ?? maintain(volume, seen);
}

/** The other node's are only the copies from now on: there is no way back, so nothing here ends in an error. */
function arrive(volume: Volume): Decision {
  const copy = moveTaskOf(volume)?.copy ?? null;
  if (copy === null) return NOTHING;
  const adopt: Deed = { kind: 'adopt', copy, quotaBytes: requestedBytes(volume) };
  return { deeds: [adopt, { kind: 'export', rules: volume.exports }], conclusion: { kind: 'complete' } };
}

/** Keeps what was created as it is meant to be, and follows the exports. */
function maintain(volume: Volume, seen: Seen | undefined): Decision {
  const { actual } = volume;
  if (actual === null) return NOTHING;
  const due = !sameRules(actual.exports, volume.exports);
  const conclusion: Conclusion | undefined = due ? { kind: 'record-exports' } : undefined;
  if (seen === undefined) {
    return { deeds: due ? [{ kind: 'export', rules: volume.exports }] : [], conclusion };
  }
  if (seen.subvolume === undefined) return IN_USE.includes(volume.state) ? missing() : NOTHING;
  const quotaBytes = gibToBytes(actual.reserved_size);
  const quotaDeeds: Deed[] =
    seen.subvolume.quotaBytes === quotaBytes ? [] : [{ kind: 'set-quota', quotaBytes }];
  return { deeds: [...quotaDeeds, ...exportIfDifferent(volume, seen)], conclusion };
}

function exportIfDifferent(volume: Volume, seen: Seen): Deed[] {
  const known = sameRules(volume.actual?.exports ?? [], volume.exports);
  const there = seen.rules === undefined || sameRules(seen.rules, volume.exports);
  return known && there ? [] : [{ kind: 'export', rules: volume.exports }];
}

const requestedBytes = (volume: Volume): number => gibToBytes(volume.requested.reserved_size);

function tooSmall(quotaBytes: number, usedBytes: number): Decision | undefined {
  if (quotaBytes >= usedBytes) return undefined;
  return failure(`${usedBytes} bytes are in use, more than the ${quotaBytes} asked for`);
}

/** An empty one in its place would look like the data gone: people must see this. */
function missing(): Decision {
  return failure('its subvolume is missing from the disk');
}

function failure(reason: string): Decision {
  return { deeds: [], conclusion: { kind: 'fail', reason } };
}
