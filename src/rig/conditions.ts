// What a scenario can wait for, as probes. Each says what it last saw, so that
// a bound that is missed explains itself.

import { RigError } from '../base/errors.ts';
import { gibToBytes } from '../base/units.ts';
import { LEADER_KEY, nodeKey, VOLUMES_PREFIX } from '../kv/keys.ts';
import { sameRules } from '../model/export.ts';
import type { Volume } from '../model/volume.ts';
import { inventoryOf } from './collect.ts';
import type { Deployment } from './deployment.ts';
import { parseLogLines } from './log-lines.ts';
import type { RecordedKey, Recorder } from './recorder.ts';
import type { Condition } from './scenario.ts';
import { leaderOf, type Names, type Stage, volumeOf } from './stage.ts';

export interface Observation {
  readonly holds: boolean;
  /** What was seen, for people. */
  readonly seen: string;
}

type View = Pick<Stage, 'deployment' | 'recorder'> & { readonly names: Names };

/** One look at the condition. Throws when it can't be observed now. */
export async function observe(view: View, condition: Condition): Promise<Observation> {
  if ('volume' in condition) return observeVolume(view, condition);
  if ('registered' in condition) return observeRegistered(view, condition);
  if ('unregistered' in condition) {
    const present = keyNow(view.recorder, nodeKey(condition.unregistered)) !== undefined;
    return { holds: !present, seen: present ? `${condition.unregistered} is registered` : 'its key is gone' };
  }
  if ('leader' in condition) return observeLeader(view, condition);
  if ('answering' in condition) return observeProbe(view.deployment, condition.answering, '/healthz');
  if ('ready' in condition) return observeProbe(view.deployment, condition.ready, '/readyz');
  if ('converged' in condition) return observeConverged(view, condition.converged);
  return observeLogged(view, condition);
}

/** While etcd is away the recorder shows what was true before: no ground to judge by. */
function refuseStale(recorder: Recorder): void {
  if (!recorder.connected()) throw new RigError('unavailable', "the recorder doesn't reach etcd");
}

function keyNow(recorder: Recorder, key: string): RecordedKey | undefined {
  refuseStale(recorder);
  return recorder.keys().get(key);
}

/** True when the key was written since the mark: one from before an outage says nothing about after it. */
function isSince({ names }: View, found: RecordedKey | undefined, mark: string | undefined): boolean {
  return found !== undefined && (mark === undefined || found.atMs >= names.mark(mark).atMs);
}

function observeLeader(view: View, condition: Extract<Condition, { leader: 'one' }>): Observation {
  const key = keyNow(view.recorder, LEADER_KEY);
  const leader = leaderOf(view.recorder);
  const former = condition.not === undefined ? undefined : view.names.mark(condition.not).leader;
  const holds = leader !== undefined && leader !== former && isSince(view, key, condition.electedSince);
  return { holds, seen: leader ? `${leader} leads, elected at ${key?.atMs} ms` : 'nobody leads' };
}

function observeVolume(view: View, condition: Extract<Condition, { volume: string }>): Observation {
  refuseStale(view.recorder);
  const volume = volumeOf(view.recorder, view.names.idOf(condition.volume));
  if (volume === undefined) return { holds: condition.state === 'absent', seen: 'it is absent' };
  const exported = volume.actual !== null && sameRules(volume.actual.exports, volume.exports);
  const holds =
    volume.state === condition.state &&
    (condition.on === undefined || volume.node === condition.on) &&
    (condition.notOn === undefined || volume.node !== condition.notOn) &&
    (condition.exported !== true || exported);
  const error = volume.control.error === null ? '' : ` (${volume.control.error})`;
  return {
    holds,
    seen: `${volume.state} on ${volume.node ?? 'no node'}${exported ? '' : ', exports not applied'}${error}`,
  };
}

function observeRegistered(view: View, condition: Extract<Condition, { registered: string }>): Observation {
  refuseStale(view.recorder);
  // Only an agent registers its node.
  const wanted = view.deployment.topology.nodes
    .filter(({ roles }) => roles.includes('agent'))
    .map((node) => node.name)
    .filter((name) => condition.registered === 'all' || condition.registered === name);
  const missing = wanted.filter(
    (name) => !isSince(view, view.recorder.keys().get(nodeKey(name)), condition.since),
  );
  return {
    holds: missing.length === 0,
    seen: missing.length === 0 ? 'all are' : `missing: ${missing.join(', ')}`,
  };
}

async function observeProbe(
  deployment: Deployment,
  which: string,
  path: '/healthz' | '/readyz',
): Promise<Observation> {
  const names = deployment.topology.nodes
    .filter(({ roles }) => roles.includes('api'))
    .map(({ name }) => name)
    .filter((name) => which === 'all' || which === name);
  const answers = await Promise.all(
    names.map(async (name) => {
      try {
        const url = `${await deployment.api(name)}${path}`;
        const { status } = await fetch(url, { signal: AbortSignal.timeout(2_000) });
        return { name, status: String(status) };
      } catch (error) {
        return { name, status: (error as Error).message };
      }
    }),
  );
  const bad = answers.filter(({ status }) => status !== '200');
  return {
    holds: bad.length === 0,
    seen: bad.map(({ name, status }) => `${name}: ${status}`).join(', ') || 'all say 200',
  };
}

/** Compares what a settled node must show: ready volumes, their quotas, and nothing else. */
async function observeConverged(view: View, node: string): Promise<Observation> {
  refuseStale(view.recorder);
  const inventory = await inventoryOf(view.deployment, node);
  const wanted = [...view.recorder.keys()]
    .filter(([key]) => key.startsWith(VOLUMES_PREFIX))
    .map(([, { value }]) => JSON.parse(value) as Volume)
    .filter((volume) => volume.node === node);
  const differences = wanted.flatMap((volume) => {
    if (volume.state !== 'ready') return [`${volume.id} is ${volume.state}`];
    const found = inventory.volumes.find(({ id }) => id === volume.id);
    if (found === undefined) return [`${volume.id} has no subvolume`];
    const quota = gibToBytes(volume.requested.reserved_size);
    return found.quotaBytes === quota ? [] : [`${volume.id} has quota ${found.quotaBytes}, not ${quota}`];
  });
  const ids = new Set(wanted.map((volume) => volume.id));
  for (const { id } of inventory.volumes) if (!ids.has(id)) differences.push(`${id} is an orphan`);
  for (const { id } of inventory.exports)
    if (!ids.has(id)) differences.push(`${id} is exported but isn't here`);
  return { holds: differences.length === 0, seen: differences.join('; ') || 'they match' };
}

async function observeLogged(
  { deployment, names }: View,
  condition: Extract<Condition, { logged: string }>,
): Promise<Observation> {
  const { wallMs } = names.mark(condition.after);
  const node = names.resolve(condition.by);
  const text = await deployment.logs(node);
  const lines = parseLogLines({ container: node, text, startedAtMs: 0 });
  const found = lines.find((line) => line.atMs >= wallMs && line.event === condition.logged);
  return {
    holds: found !== undefined,
    seen: found ? JSON.stringify(found.fields) : `no such line of ${node}`,
  };
}
