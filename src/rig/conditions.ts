// What a scenario can wait for, as probes. Each says what it last saw, so that
// a bound that is missed explains itself.

import { LEADER_KEY, nodeKey } from '../kv/keys.ts';
import { sameRules } from '../model/export.ts';
import type { Deployment } from './deployment.ts';
import { observeEtcd } from './etcd-conditions.ts';
import { parseLogLines } from './log-lines.ts';
import { observeBalance, observeConverged, observeDraining, observeEmpty } from './node-conditions.ts';
import type { Observation } from './observation.ts';
import type { RecordedKey, Recorder } from './recorder.ts';
import type { Condition } from './scenario.ts';
import type { View } from './scene.ts';
import { leaderOf, refuseStale, volumeOf } from './stage.ts';
import { presentNodes } from './topology.ts';

/** One look at the condition. Throws when it can't be observed now. */
export async function observe(view: View, condition: Condition): Promise<Observation> {
  if ('told' in condition) return observeTold(view, condition);
  if ('mounted' in condition) return observeMounted(view, condition);
  if ('volume' in condition) return observeVolume(view, condition);
  if ('registered' in condition) return observeRegistered(view, condition);
  if ('unregistered' in condition) {
    const present = keyNow(view.recorder, nodeKey(condition.unregistered)) !== undefined;
    return { holds: !present, seen: present ? `${condition.unregistered} is registered` : 'its key is gone' };
  }
  if ('leader' in condition) return observeLeader(view, condition);
  if ('answering' in condition) return observeProbe(view.deployment, condition.answering, '/healthz');
  if ('ready' in condition) return observeProbe(view.deployment, condition.ready, '/readyz');
  if ('etcdAnswers' in condition) return observeEtcd(view.deployment, condition.etcdAnswers);
  if ('empty' in condition) return observeEmpty(view, condition.empty);
  if ('balancedWithinPercent' in condition) return observeBalance(view, condition.balancedWithinPercent);
  if ('draining' in condition) return observeDraining(view, condition);
  if ('converged' in condition) return observeConverged(view, condition.converged);
  return observeLogged(view, condition);
}

function observeTold(view: View, condition: Extract<Condition, { told: string }>): Observation {
  const { atMs } = view.names.mark(condition.after);
  const id = view.names.idOf(condition.volume);
  const heard = (view.followers.get(condition.told)?.told ?? []).filter(
    (told) => told.volume === id && told.atMs >= atMs,
  );
  const found = heard.some(
    ({ action, server }) =>
      action === condition.to && (condition.on === undefined || server === condition.on),
  );
  const seen = heard.map(({ action, server }) => `${action} ${server ?? 'nowhere'}`).join(', ');
  return { holds: found, seen: seen || 'it was told nothing' };
}

function observeMounted(
  { kernel, names }: View,
  condition: Extract<Condition, { mounted: string }>,
): Observation {
  const server = kernel?.serverOf({ consumer: condition.mounted, volume: names.idOf(condition.of) });
  if (server === undefined) return { holds: true, seen: 'not asked: it was never mounted' };
  return {
    holds: server === condition.on,
    seen: server === null ? 'it is not mounted' : `mounted from ${server}`,
  };
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

function observeVolume(
  view: View,
  condition: Extract<Condition, { volume: string; state: string }>,
): Observation {
  refuseStale(view.recorder);
  const volume = volumeOf(view.recorder, view.names.idOf(condition.volume));
  if (volume === undefined) return { holds: condition.state === 'absent', seen: 'it is absent' };
  const exported = volume.actual !== null && sameRules(volume.actual.exports, volume.exports);
  const holds =
    volume.state === condition.state &&
    (condition.on === undefined || volume.node === condition.on) &&
    (condition.notOn === undefined || volume.node !== condition.notOn) &&
    (condition.sizeGib === undefined || volume.actual?.reserved_size === condition.sizeGib) &&
    (condition.exported !== true || exported);
  const error = volume.control.error === null ? '' : ` (${volume.control.error})`;
  const size = `${volume.actual?.reserved_size ?? 'no'} GiB`;
  return {
    holds,
    seen: `${volume.state} on ${volume.node ?? 'no node'}, ${size}${exported ? '' : ', exports not applied'}${error}`,
  };
}

function observeRegistered(view: View, condition: Extract<Condition, { registered: string }>): Observation {
  refuseStale(view.recorder);
  // Only an agent registers its node.
  const wanted = presentNodes(view.deployment.topology)
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
  const names = presentNodes(deployment.topology)
    .filter(({ roles }) => roles.includes('api'))
    .map(({ name }) => name)
    .filter((name) => which === 'all' || which === name);
  const answers = await Promise.all(
    names.map(async (name) => {
      try {
        const url = `${await deployment.api(name)}${path}`;
        const { status } = await deployment.fetch(url, { timeoutMs: 2_000 });
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
