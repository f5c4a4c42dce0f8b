// While etcd is away nothing changes on the nodes: no subvolume, quota, export
// or file that was there before is gone or different.
//
// Assumes inventories `before-outage` and `during-outage` of every node that
// stays up, each collected within COLLECTING_MS (by the work clock) before its record. A file that
// clients wrote since the first may hold what they wrote, and anything at all
// while such a write was open or when nobody knows how it ended.

import type { Check, Inventory, InventoryVolume, RecordedRun } from '../history.ts';
import { endedMs, nfsCalls } from './calls.ts';
import { sameClients } from './exports.ts';
import { inventoriesOf } from './final.ts';
import { answersOf, count } from './verdict.ts';
import { workClockOf } from './work-clock.ts';

const { valid, invalid, unknown } = answersOf('outage-changes-nothing');

const BEFORE = 'before-outage';
const DURING = 'during-outage';
const COLLECTING_MS = 10_000;

/** What a file may hold by the second inventory besides what it held by the first. */
interface Rewritten {
  readonly digests: Set<string>;
  anything: boolean;
}

export const outageChangesNothing: Check = (run) => {
  const before = inventoriesOf(run, BEFORE);
  const during = inventoriesOf(run, DURING);
  if (before.size === 0) return unknown(`no inventory is labelled ${BEFORE}`);
  const rewritten = rewrittenFiles(run);
  let volumes = 0;
  const missing: string[] = [];
  for (const [node, earlier] of before) {
    const later = during.get(node);
    if (later === undefined) {
      missing.push(node);
      continue;
    }
    volumes += earlier.volumes.length;
    const changes = differences({ earlier, later, rewritten }).map((line) => `${node}: ${line}`);
    if (changes.length > 0) return invalid(`${node} changed while etcd was away`, changes);
  }
  if (missing.length > 0) return unknown(`no inventory labelled ${DURING} of ${missing.join(', ')}`);
  if (volumes === 0) return unknown('no node had a volume before the outage');
  return valid(`${count(volumes, 'volume')} on ${count(before.size, 'node')} stayed as they were`);
};

function differences(options: {
  readonly earlier: Inventory;
  readonly later: Inventory;
  readonly rewritten: ReadonlyMap<string, Rewritten>;
}): readonly string[] {
  const { earlier, later, rewritten } = options;
  const lines: string[] = [];
  const volumesNow = new Map(later.volumes.map((volume) => [volume.id, volume]));
  for (const volume of earlier.volumes) {
    const now = volumesNow.get(volume.id);
    volumesNow.delete(volume.id);
    if (now === undefined) {
      lines.push(`subvolume ${volume.id} is gone`);
      continue;
    }
    if (now.quotaBytes !== volume.quotaBytes) {
      lines.push(`the quota of ${volume.id} went from ${volume.quotaBytes} to ${now.quotaBytes} bytes`);
    }
    for (const file of Object.keys(now.files)) {
      const [owner, later] = [ownerOf(volume, file), ownerOf(now, file)];
      if (volume.files[file] === undefined && !rewritten.has(`${volume.id}/${file}`))
        lines.push(`${volume.id}/${file} appeared, and no client had written it`);
      if (volume.files[file] !== undefined && owner !== later)
        lines.push(`${volume.id}/${file} went from user ${owner} to user ${later}`);
    }
    for (const [file, sha256] of Object.entries(volume.files)) {
      const found = now.files[file];
      const writes = rewritten.get(`${volume.id}/${file}`);
      if (found === sha256 || writes?.anything === true) continue;
      if (found !== undefined && writes?.digests.has(found) === true) continue;
      lines.push(`${volume.id}/${file} went from ${sha256} to ${found ?? 'nothing'}`);
    }
  }
  for (const id of volumesNow.keys()) lines.push(`subvolume ${id} appeared`);
  const exportsNow = new Map(later.exports.map((entry) => [entry.id, entry]));
  for (const entry of earlier.exports) {
    const now = exportsNow.get(entry.id);
    exportsNow.delete(entry.id);
    if (now === undefined) lines.push(`the export of ${entry.id} is gone`);
    else if (!sameClients(entry.clients, now.clients))
      lines.push(`the export of ${entry.id} has other clients`);
  }
  for (const id of exportsNow.keys()) lines.push(`an export of ${id} appeared`);
  return lines;
}

const ownerOf = ({ owners = {} }: InventoryVolume, file: string): number => owners[file] ?? 0;

/** By `volume/file`: every write that may have happened since the first inventory was begun. */
function rewrittenFiles(run: RecordedRun): ReadonlyMap<string, Rewritten> {
  const recordedMs = (label: string, pick: 'find' | 'findLast'): number =>
    run.history[pick]((event) => event.type === 'inventory' && event.label === label)?.atMs ?? 0;
  const clock = workClockOf(run);
  const sinceMs = clock.before(recordedMs(BEFORE, 'find'), COLLECTING_MS);
  // The second was begun after the first had been recorded.
  const begunMs = clock.before(recordedMs(DURING, 'find'), COLLECTING_MS);
  const lookingMs = Math.max(begunMs, recordedMs(BEFORE, 'findLast'));
  const lookedMs = recordedMs(DURING, 'findLast');
  const files = new Map<string, Rewritten>();
  for (const call of nfsCalls(run)) {
    const { kind, volume, file, sha256 } = call.operation;
    if (kind !== 'nfs-write' || call.completion?.phase === 'fail' || endedMs(call) < sinceMs) continue;
    if (call.invokedMs > lookedMs) continue;
    const writes = files.get(`${volume}/${file}`) ?? { digests: new Set(), anything: false };
    files.set(`${volume}/${file}`, writes);
    if (sha256 !== undefined) writes.digests.add(sha256);
    // Only a write that was still open while the second was collected can have left half a file.
    if (endedMs(call) >= lookingMs) writes.anything = true;
  }
  return files;
}
