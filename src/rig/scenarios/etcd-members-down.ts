import type { Scenario, Step } from '../scenario.ts';
import { ALWAYS, CLUSTER_UP, exported, READINESS_ASKED_ANEW, threeNodes } from './common.ts';

const MEMBERS = ['etcd1', 'etcd2', 'etcd3'] as const;

/**
 * One of them leads, whichever it is. What is ordered meanwhile may meet the election, but is done. Who listens to a
 * member that is frozen hears nothing for a while, and nobody tells: what was ordered by then must not be lost on it.
 */
const withoutEach = (fault: 'kill' | 'pause', end: 'start' | 'resume'): readonly Step[] =>
  MEMBERS.flatMap((member, index): readonly Step[] => [
    { mark: `${fault}-${member}` },
    { fault, target: member },
    READINESS_ASKED_ANEW,
    { await: { ready: 'all' }, withinMs: 8_000, since: `${fault}-${member}` },
    { call: { create: `${fault}-${member}`, sizeGib: 1 }, via: `node${index + 1}`, status: 202 },
    { await: { leader: 'one' }, withinMs: 12_000, since: `${fault}-${member}` },
    { await: { volume: `${fault}-${member}`, state: 'ready' }, withinMs: 10_000 },
    { fault: end, target: member },
    { await: { etcdAnswers: 'all' }, withinMs: 20_000 },
  ]);

/** A minority of etcd down, each member in turn: the cluster works on, and nothing that was acknowledged is lost. */
export const etcdMembersDown: Scenario = {
  name: 'etcd-members-down',
  title: 'Each of three etcd members is killed in turn, then frozen, and the cluster works on',
  topology: {
    ...threeNodes,
    etcd: { members: 3 },
    // A new leader of etcd's takes up to 2 s, in which no lease is renewed.
    settings: { leaseTtlSeconds: 6, rebalancePercent: 100 },
  },
  script: [
    ...CLUSTER_UP,
    ...exported('a'),
    { traffic: 'traffic1', by: 'consumer1', volume: 'a' },
    ...withoutEach('kill', 'start'),
    ...withoutEach('pause', 'resume'),
    { endTraffic: 'traffic1' },
    { io: 'write', volume: 'a', by: 'consumer1', file: 'after', outcome: 'ok', withinMs: 5_000 },
  ],
  checks: [...ALWAYS, 'durability', 'access'],
};
