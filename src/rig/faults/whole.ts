// What faults that don't last are healed to: their members run, and belong to the
// cluster again.

import { waitFor } from '../../base/retry.ts';
import { LEADER_KEY, nodeKey } from '../../kv/keys.ts';
import type { Observation } from '../observation.ts';
import type { Site } from './fault.ts';

/** Members run, nodes among them are registered if they have an agent, and an engine leads if there is any. */
export async function whole(site: Site, members: readonly string[]): Promise<Observation> {
  const { nodes } = site.deployment.topology;
  const ills = await Promise.all(members.map((member) => illOf(site, member)));
  const engines = nodes.some(({ roles }) => roles.includes('engine'));
  const leaderless = engines && (await site.deployment.store.read(LEADER_KEY)) === undefined;
  const ill = [...ills.flat(), ...(leaderless ? ['nobody leads'] : [])];
  const all = members.length === 0 ? '' : `${members.join(', ')} as before, and `;
  return { holds: ill.length === 0, seen: ill.join(', ') || `${all}an engine leads` };
}

async function illOf(site: Site, member: string): Promise<readonly string[]> {
  const state = await site.deployment.state(member);
  if (state !== 'running') return [`${member} is ${state}`];
  const node = site.deployment.topology.nodes.find(({ name }) => name === member);
  if (node === undefined || !node.roles.includes('agent')) return [];
  return (await site.deployment.store.read(nodeKey(member))) === undefined
    ? [`${member} is not registered`]
    : [];
}

/** Those of them that do not run. */
export async function startAgain(site: Site, members: readonly string[]): Promise<void> {
  for (const member of members) {
    const state = await site.deployment.state(member);
    if (state === 'exited' || state === 'created') await site.act('start', member);
  }
}

/** How long an operator waits for a member before going on without it. */
const BACK_WITHIN_MS = 30_000;

/** Until it belongs to the cluster again, or that took too long. */
export async function backAgain(site: Site, member: string): Promise<void> {
  const { clock, signal } = site;
  const probe = async () => ((await illOf(site, member)).length === 0 ? true : undefined);
  const what = `${member} to be back`;
  await waitFor({ clock, signal, what, timeoutMs: BACK_WITHIN_MS, probe }).catch(() => undefined);
  signal.throwIfAborted();
}
