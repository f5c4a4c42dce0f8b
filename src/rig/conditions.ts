// What a scenario can wait for, as probes. Each says what it last saw, so that
// a bound that is missed explains itself.

import { gibToBytes } from '../base/units.ts';
import { LEADER_KEY, nodeKey, volumeKey } from '../kv/keys.ts';
import { sameRules } from '../model/export.ts';
import type { Leader } from '../model/node.ts';
import type { Volume } from '../model/volume.ts';
import { inventoryOf } from './collect.ts';
import type { Deployment } from './deployment.ts';
import { parseLogLines } from './log-lines.ts';
import type { Recorder } from './recorder.ts';
import type { Condition, Target } from './scenario.ts';

/** A named moment of the script. */
export interface Mark {
  readonly atMs: number;
  /** Wall clock, to compare with the times of log lines. */
  readonly wallMs: number;
  /** The node whose engine led then. */
  readonly leader: string | undefined;
}

export interface Observation {
  readonly holds: boolean;
  /** What was seen, for people. */
  readonly seen: string;
}

export interface Observer {
  readonly deployment: Deployment;
  readonly recorder: Recorder;
  /** The id that a volume of the scenario got. */
  idOf(volume: string): string;
  mark(name: string): Mark;
  /** The member that a target means now. */
  resolve(target: Target): string;
}

/** One look at the condition. Throws only when it could not be observed at all. */
export async function observe(observer: Observer, condition: Condition): Promise<Observation> {
  if ('volume' in condition) return observeVolume(observer, condition);
  if ('registered' in condition) return observeRegistered(observer, condition.registered);
  if ('unregistered' in condition) {
    const present = observer.recorder.current(nodeKey(condition.unregistered)) !== undefined;
    return { holds: !present, seen: present ? `${condition.unregistered} is registered` : 'its key is gone' };
  }
  if ('leader' in condition) {
    const leader = leaderOf(observer.recorder);
    const former = condition.not === undefined ? undefined : observer.mark(condition.not).leader;
    return {
      holds: leader !== undefined && leader !== former,
      seen: leader ? `${leader} leads` : 'nobody leads',
    };
  }
  if ('answering' in condition) return observeProbe(observer, condition.answering, '/healthz');
  if ('ready' in condition) return observeProbe(observer, condition.ready, '/readyz');
  if ('converged' in condition) return observeConverged(observer, condition.converged);
  return observeLogged(observer, condition);
}

/** The node whose engine leads, as etcd says. */
export function leaderOf(recorder: Recorder): string | undefined {
  const value = recorder.current(LEADER_KEY);
  return value === undefined ? undefined : (JSON.parse(value) as Leader).node;
}

function volumeOf(observer: Observer, name: string): Volume | undefined {
  const value = observer.recorder.current(volumeKey(observer.idOf(name)));
  return value === undefined ? undefined : (JSON.parse(value) as Volume);
}

function observeVolume(observer: Observer, condition: Extract<Condition, { volume: string }>): Observation {
  const volume = volumeOf(observer, condition.volume);
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

function observeRegistered(observer: Observer, which: string): Observation {
  const wanted = observer.deployment.topology.nodes.map((node) => node.name);
  const missing = wanted.filter(
    (name) => (which === 'all' || which === name) && observer.recorder.current(nodeKey(name)) === undefined,
  );
  return {
    holds: missing.length === 0,
    seen: missing.length === 0 ? 'all are' : `missing: ${missing.join(', ')}`,
  };
}

async function observeProbe(
  observer: Observer,
  which: string,
  path: '/healthz' | '/readyz',
): Promise<Observation> {
  const silent: string[] = [];
  for (const { name } of observer.deployment.topology.nodes) {
    if (which !== 'all' && which !== name) continue;
    try {
      const url = `${await observer.deployment.api(name)}${path}`;
      const { status } = await fetch(url, { signal: AbortSignal.timeout(1_000) });
      if (status !== 200) silent.push(`${name} (${status})`);
    } catch {
      silent.push(name);
    }
  }
  return {
    holds: silent.length === 0,
    seen: silent.length === 0 ? 'all say 200' : `not 200: ${silent.join(', ')}`,
  };
}

/** Compares only what a settled node must show: ready volumes, their quotas and exports, and nothing else. */
async function observeConverged(observer: Observer, node: string): Promise<Observation> {
  const inventory = await inventoryOf(observer.deployment, node);
  const wanted = [...observer.recorder.keys()]
    .filter(([key]) => key.startsWith(volumeKey('')))
    .map(([, value]) => JSON.parse(value) as Volume)
    .filter((volume) => volume.node === node);
  const differences: string[] = [];
  for (const volume of wanted) {
    const found = inventory.volumes.find(({ id }) => id === volume.id);
    const quota = gibToBytes(volume.requested.reserved_size);
    if (volume.state !== 'ready') differences.push(`${volume.id} is ${volume.state}`);
    else if (found === undefined) differences.push(`${volume.id} has no subvolume`);
    else if (found.quotaBytes !== quota)
      differences.push(`${volume.id} has quota ${found.quotaBytes}, not ${quota}`);
  }
  const ids = new Set(wanted.map((volume) => volume.id));
  for (const { id } of inventory.volumes) if (!ids.has(id)) differences.push(`${id} is an orphan`);
  for (const { id } of inventory.exports)
    if (!ids.has(id)) differences.push(`${id} is exported but isn't here`);
  return { holds: differences.length === 0, seen: differences.join('; ') || 'they match' };
}

async function observeLogged(
  observer: Observer,
  condition: Extract<Condition, { logged: string }>,
): Promise<Observation> {
  const { wallMs } = observer.mark(condition.after);
  const node = observer.resolve(condition.by);
  const lines = parseLogLines({
    container: node,
    text: await observer.deployment.logs(node),
    startedAtMs: 0,
  });
  const found = lines.find((line) => line.atMs >= wallMs && line.event === condition.logged);
  return {
    holds: found !== undefined,
    seen: found ? JSON.stringify(found.fields) : `no such line of ${node}`,
  };
}
