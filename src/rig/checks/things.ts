// All that there is as of a revision, as a consumer of the cluster's events has to be told of
// it after a `reset`: volumes, nodes and the leader, read from etcd's own history.

import { LEADER_KEY } from '../../kv/keys.ts';
import { isHandedOver, type Volume } from '../../model/volume.ts';
import type { InventoryExport, RecordedRun } from '../history.ts';
import { text } from './exports.ts';
import { holderOf } from './leader-history.ts';
import { nodeAt, nodeSteps } from './node-history.ts';
import { serverAt } from './told-wanted.ts';
import { volumeSteps } from './volume-history.ts';
import { factsOf } from './watch-wanted.ts';

type Fields = Readonly<Record<string, unknown>>;

/** By what it is, what is told of it, as text. */
export function thingsAt(run: RecordedRun, revision: number): Map<string, string> {
  const things = new Map<string, string>();
  for (const volume of volumesAt(run, revision)) {
    const server = serverAt(run, volume, revision);
    things.set(
      `volume ${volume.id}`,
      volumeFacts({ ...volume, error: volume.control.error }, acceptedBy(volume), server),
    );
  }
  for (const name of nodeSteps(run).keys()) {
    const node = nodeAt(run, name, revision);
    if (node !== undefined) things.set(`node ${name}`, nodeFacts(node));
  }
  const last = run.etcd.findLast((event) => event.key === LEADER_KEY && event.revision <= revision);
  const leader = last === undefined || last.kind === 'delete' ? undefined : holderOf(last).node;
  return things.set('leader', leader ?? 'nobody');
}

/** What an item of a `snapshot` event is. */
export function thingToldOf(item: unknown): string {
  const { of, volume, node } = (item ?? {}) as Fields;
  return of === 'leader' ? 'leader' : `${of} ${of === 'volume' ? volume : node}`;
}

/** What is told of it, as `thingsAt` has it. */
export function factsToldOf(item: unknown): string {
  const fields = (item ?? {}) as Fields;
  if (fields.of === 'leader') return String(fields.node ?? 'nobody');
  if (fields.of === 'node') return nodeFacts(fields);
  const exports = Array.isArray(fields.exports) ? (fields.exports as InventoryExport['clients']) : [];
  return volumeFacts(
    fields,
    exports,
    (fields.mount as { readonly server?: string } | null | undefined)?.server,
  );
}

const nodeFacts = ({ address, disk }: { readonly address?: unknown; readonly disk?: unknown }): string =>
  JSON.stringify([address, disk]);

const volumeFacts = (
  facts: object,
  exports: InventoryExport['clients'],
  server: string | undefined,
): string => `${factsOf(facts)} for ${text(exports) || 'nobody'} at ${server ?? 'no server'}`;

function volumesAt(run: RecordedRun, revision: number): Iterable<Volume> {
  const volumes = new Map<string, Volume>();
  for (const { event, id, after } of volumeSteps(run)) {
    if (event.revision > revision) break;
    if (after === undefined) volumes.delete(id);
    else volumes.set(id, after);
  }
  return volumes.values();
}

/** Who may mount it: nobody between a handover and the new node's export, and nobody any more once it is to be deleted. */
const acceptedBy = (volume: Volume): InventoryExport['clients'] =>
  volume.actual === null || volume.state === 'deleting' || isHandedOver(volume) ? [] : volume.actual.exports;
