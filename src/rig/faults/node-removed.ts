// A node is ended for good, as an operator does it: drained, stopped, forgotten, and
// removed with its disk. One that can't be emptied stays, and the fault never shows.

import { hasCode } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import { nodeKey, specKey } from '../../kv/keys.ts';
import type { Fault, Site } from './fault.ts';
import { endIfRunning } from './restarting.ts';
import { select } from './select.ts';
import type { SpecOf } from './spec.ts';
import { startAgain } from './whole.ts';

/** A move of each of its volumes. */
const EMPTY_WITHIN_MS = 60_000;
/** Its lease runs out by then: no topology has a longer one. */
const FORGOTTEN_WITHIN_MS = 75_000;

export const nodeRemoved: Fault<SpecOf<'node-removed'>> = {
  family: 'cluster',
  describe: ({ node }) => `${node} leaves for good`,
  members: ({ node }, view, random) => select([node], view, random),
  inject: async (site, { spec: { node } }) => {
    const path = `/nodes/${node}`;
    const isEmpty = await becomes(site, `${node} to be empty`, EMPTY_WITHIN_MS, async () => {
      await site.call({ method: 'PUT', path, body: { draining: true } }, node);
      const answer = await site.call({ method: 'GET', path }, node);
      return answer?.status === 200 && isDrained(answer.body);
    });
    if (!isEmpty) return stays(site, node);
    await endIfRunning(site, 'stop', node);
    await site.deployment.removeNode(node);
    await becomes(site, `${node} to be forgotten`, FORGOTTEN_WITHIN_MS, async () => {
      if ((await site.deployment.store.read(nodeKey(node))) !== undefined) return false;
      const answer = await site.call({ method: 'DELETE', path }, node);
      return answer !== undefined && [200, 202, 204, 404].includes(answer.status);
    });
  },
  shows: async (site, { spec }) => look(site, spec.node),
  // One that has not got so far as to be removed stays.
  heal: async (site, { spec: { node }, members }) => {
    await startAgain(site, members);
    if ((await site.deployment.state(node)) === 'running') await stays(site, node);
  },
  healed: async (site, { spec }) => {
    const left = await look(site, spec.node);
    return (await site.deployment.state(spec.node)) === 'running'
      ? { holds: true, seen: 'it has stayed' }
      : left;
  },
};

async function stays(site: Site, node: string): Promise<void> {
  await site.call({ method: 'PUT', path: `/nodes/${node}`, body: { draining: false } }, node);
}

async function look({ deployment }: Site, node: string) {
  const state = await deployment.state(node);
  const registered = (await deployment.store.read(nodeKey(node))) !== undefined;
  const remembered = (await deployment.store.read(specKey(node))) !== undefined;
  const holds = state === 'absent' && !registered && !remembered;
  const known = registered ? 'registered' : remembered ? 'not forgotten' : 'forgotten';
  return { holds, seen: `${node} is ${state}, and ${known}` };
}

function isDrained(body: unknown): boolean {
  const { draining, volumes, remains } = body as {
    readonly draining?: unknown;
    readonly volumes?: { readonly count?: unknown };
    readonly remains?: unknown;
  };
  return draining === true && volumes?.count === 0 && remains === 0;
}

async function becomes(
  { clock, signal }: Site,
  what: string,
  timeoutMs: number,
  holds: () => Promise<boolean>,
): Promise<boolean> {
  const probe = async () => ((await holds()) ? true : undefined);
  try {
    return await waitFor({ clock, signal, what, timeoutMs, intervalMs: 200, probe });
  } catch (error) {
    if (hasCode(error, 'timeout')) return false;
    throw error;
  }
}
