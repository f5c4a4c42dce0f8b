// What happened, event by event, as a consumer of the cluster's events has to hear
// of it: read from etcd's own history, with none of the daemon's code for it.

import { LEADER_KEY } from '../../kv/keys.ts';
import type { Volume } from '../../model/volume.ts';
import type { EtcdEvent, RecordedRun } from '../history.ts';
import { holderOf } from './leader-history.ts';
import { nodeSteps } from './node-history.ts';
import { position } from './verdict.ts';
import { describeStep, volumeSteps } from './volume-history.ts';

export interface Happening {
  readonly revision: number;
  readonly atMs: number;
  /** For people. */
  readonly line: () => string;
  /** There has to be an event of it; else there may be one. */
  readonly isDue: boolean;
  /** Of a volume that is there: what an event of it has to say, as `factsOf` has it. */
  readonly facts?: string;
}

/** What an event says of a volume, besides what has happened to it. */
export function factsOf(data: unknown): string {
  const { name, state, node, error } = data as Readonly<Record<string, unknown>>;
  return JSON.stringify([name, state, node, error]);
}

/** What an event says has happened, and to whom; undefined for what it only asks for, or there is. */
export function subjectOf(data: unknown): string | undefined {
  const { kind, change, volume, node } = data as Readonly<Record<string, unknown>>;
  if (kind === 'volume') return `volume ${volume} ${change}`;
  if (kind === 'node') return `node ${node} ${change}`;
  return kind === 'leader' ? `leader ${node ?? 'none'}` : undefined;
}

/** By `<revision> <subject>`. */
export function happenings(run: RecordedRun): ReadonlyMap<string, Happening> {
  const all = new Map<string, Happening>();
  const add = (
    event: EtcdEvent,
    subject: string,
    {
      what = () => subject,
      isDue = true,
      facts,
    }: { what?: () => string; isDue?: boolean; facts?: string } = {},
  ): void => {
    const { revision, atMs } = event;
    const line = (): string => `${position(event)}: ${what()}`;
    all.set(`${revision} ${subject}`, { revision, atMs, line, isDue, ...(facts !== undefined && { facts }) });
  };
  for (const step of volumeSteps(run)) {
    const { event, id, before, after } = step;
    if (before === undefined && after === undefined) continue;
    const change = before === undefined ? 'created' : after === undefined ? 'deleted' : 'changed';
    if (change === 'changed' && shown(before) === shown(after)) continue;
    const told = after === undefined ? {} : { facts: factsOf({ ...after, error: after.control.error }) };
    add(event, `volume ${id} ${change}`, { what: () => describeStep(step), ...told });
  }
  for (const { event, name, before, after } of [...nodeSteps(run).values()].flat()) {
    if (before === undefined && after === undefined) continue;
    const change = before === undefined ? 'joined' : after === undefined ? 'left' : 'changed';
    const facts = (node: typeof after): string => JSON.stringify([node?.address, node?.disk]);
    add(event, `node ${name} ${change}`, { isDue: change !== 'changed' || facts(before) !== facts(after) });
  }
  let instance: string | undefined;
  for (const event of run.etcd) {
    if (event.key !== LEADER_KEY) continue;
    const holder = event.kind === 'delete' ? undefined : holderOf(event);
    if (holder?.instance !== instance) add(event, `leader ${holder?.node ?? 'none'}`);
    instance = holder?.instance;
  }
  return all;
}

/** What of a volume is shown: not who wrote it last, and when. */
function shown(volume: Volume | undefined): string {
  if (volume === undefined) return '';
  const { updated: _updated, writer: _writer, ...control } = volume.control;
  return JSON.stringify({ ...volume, control });
}
