// A cluster of names and states, for faults that need no more, with a clock that
// goes on whenever somebody waits.

import type { Clock } from '../../../../src/base/clock.ts';
import { createSeededRandom } from '../../../../src/base/random.ts';
import type { Act, ContainerState, Deployment } from '../../../../src/rig/deployment.ts';
import type { Site } from '../../../../src/rig/faults/fault.ts';
import { parseTopology, type TopologyInput } from '../../../../src/rig/topology.ts';
import { deadlineOn, NOT_NEEDED, viewOf } from '../../../support/site.ts';

const AFTER: Readonly<Record<Act, ContainerState>> = {
  kill: 'exited',
  stop: 'exited',
  start: 'running',
  pause: 'paused',
  resume: 'running',
};

export const NODES = ['node1', 'node2', 'node3'];

/** `onAct` may veto an act, so that it has no effect. */
export function fakeSite(parts: {
  readonly onAct?: (act: Act, member: string) => boolean;
  readonly deployment?: Partial<Deployment>;
  readonly topology?: Partial<TopologyInput>;
}) {
  const states = new Map<string, ContainerState>(NODES.map((name) => [name, 'running']));
  const acts: string[] = [];
  let nowMs = 0;
  const clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  } as unknown as Clock;
  const topology = parseTopology({ nodes: NODES.map((name) => ({ name })), ...parts.topology }, 'test');
  const deployment = {
    topology,
    state: async (member: string) => states.get(member) ?? 'absent',
    ...parts.deployment,
  } as unknown as Deployment;
  const site: Site = {
    ...NOT_NEEDED,
    deployment,
    clock,
    deadline: deadlineOn(clock),
    random: createSeededRandom(1),
    signal: new AbortController().signal,
    view: async () => viewOf(topology),
    act: async (act, member) => {
      acts.push(`${act} ${member}`);
      if (parts.onAct?.(act, member) !== false) states.set(member, AFTER[act]);
    },
    idOf: (volume) => volume,
  };
  return { site, acts, states, nowMs: () => nowMs };
}
