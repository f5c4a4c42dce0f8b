// While etcd is away nothing changes on the nodes: no subvolume, quota, export
// or file that was there before is gone or different.
//
// Assumes inventories `before-outage` and `during-outage` of every node that
// stays up. Files that clients wrote between the two may differ.

import type { Check, Inventory, RecordedRun } from '../history.ts';
import { endedMs, nfsCalls } from './calls.ts';
import { sameClients } from './exports.ts';
import { inventoriesOf } from './final.ts';
import { answersOf, count } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('outage-changes-nothing');

const BEFORE = 'before-outage';
const DURING = 'during-outage';

export const outageChangesNothing: Check = (run) => {
  const before = inventoriesOf(run, BEFORE);
  const during = inventoriesOf(run, DURING);
  if (before.size === 0) return unknown(`no inventory is labelled ${BEFORE}`);
  const rewritten = filesWrittenSince(run);
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
  readonly rewritten: ReadonlySet<string>;
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
    for (const [file, sha256] of Object.entries(volume.files)) {
      if (rewritten.has(`${volume.id}/${file}`) || now.files[file] === sha256) continue;
      lines.push(`${volume.id}/${file} went from ${sha256} to ${now.files[file] ?? 'nothing'}`);
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

/** `volume/file` of every write that may have happened since the first inventory was begun. */
function filesWrittenSince(run: RecordedRun): ReadonlySet<string> {
  const begun = run.history.find((event) => event.type === 'inventory' && event.label === BEFORE);
  // Collecting takes a while; its record comes at the end of it.
  const sinceMs = (begun?.atMs ?? 0) - 10_000;
  const writes = nfsCalls(run).filter(
    (call) =>
      call.operation.kind === 'nfs-write' && call.completion?.phase !== 'fail' && endedMs(call) >= sinceMs,
  );
  return new Set(writes.map(({ operation }) => `${operation.volume}/${operation.file}`));
}
