import type { Scenario } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, LEASE_TTL_MS, threeNodes } from './common.ts';

/**
 * Agent down, volume not present but scheduled there: rescheduled, whether the
 * node was dead by then or only its agent froze before it created anything.
 * node2 has the most room, so the scheduler prefers it.
 */
export const agentDownVolumeScheduled: Scenario = {
  name: 'agent-down-volume-scheduled',
  title: 'A volume scheduled on a node that dies before creating it is ready elsewhere within a TTL + 3 s',
  topology: {
    ...threeNodes,
    nodes: [
      { name: 'node1', labels: { zone: 'a' } },
      { name: 'node2', labels: { zone: 'b' }, capacityGib: 32, roles: ['api', 'agent'] },
      { name: 'node3', labels: { zone: 'b' }, capacityGib: 8 },
    ],
  },
  script: [
    ...CLUSTER_UP,
    { fault: 'kill', target: 'node2' },
    { mark: 'dead' },
    { call: { create: 'a', sizeGib: 1, constraints: { zone: 'b' } }, via: 'node1', status: 202 },
    { await: { volume: 'a', state: 'scheduling', on: 'node2' }, withinMs: 1_500, setup: true },
    { await: { volume: 'a', state: 'ready', on: 'node3' }, withinMs: LEASE_TTL_MS + 3_000, since: 'dead' },
    { fault: 'start', target: 'node2' },
    { await: { registered: 'node2' }, withinMs: 15_000 },
    { await: { converged: 'node2' }, withinMs: 10_000 },

    { fault: 'pause', target: 'node2', role: 'agent' },
    { mark: 'frozen' },
    { call: { create: 'b', sizeGib: 1, constraints: { zone: 'b' } }, via: 'node1', status: 202 },
    { await: { volume: 'b', state: 'scheduling', on: 'node2' }, withinMs: 1_500, setup: true },
    { await: { volume: 'b', state: 'ready', on: 'node3' }, withinMs: LEASE_TTL_MS + 3_000, since: 'frozen' },
    { fault: 'resume', target: 'node2', role: 'agent' },
    { await: { registered: 'node2' }, withinMs: 10_000 },
    { hold: LEASE_TTL_MS, why: 'the thawed agent has time to do the wrong thing' },
    { await: { converged: 'node2' }, withinMs: 10_000 },
    { await: { volume: 'b', state: 'ready', on: 'node3' }, withinMs: 1_000 },
  ],
  checks: [...ALWAYS, 'constraints', 'heartbeats'],
};
