// What follows in every scenario that lets clients work while faults come and go:
// the cluster is whole again, and a volume has the life that it would have had on a
// day without faults.

import type { Step } from '../scenario.ts';
import { RECOVERY_MS, type Topology } from '../topology.ts';

/** How long a cluster may take to be whole after the last fault. */
export const recoveryMs = ({ leaseTtlSeconds, reconcileIntervalMs }: Topology['settings']): number =>
  2 * leaseTtlSeconds * 1000 + reconcileIntervalMs + RECOVERY_MS;

/** Every member answers, and one engine leads; measured from the mark, or what the experiment needs. */
export const whole = (
  withinMs: number,
  measured: { readonly since: string } | { readonly setup: true },
): readonly Step[] => [
  { await: { etcdAnswers: 'all' }, withinMs, ...measured },
  { await: { registered: 'all' }, withinMs, ...measured },
  { await: { leader: 'one' }, withinMs, ...measured },
  { await: { ready: 'all' }, withinMs, ...measured },
];

/** All consumers follow the events, each at another node as long as there are enough. */
export const followAll = ({ consumers, nodes }: Topology): readonly Step[] =>
  consumers.map((follow, index): Step => ({ follow, via: nodes[index % nodes.length]?.name ?? '' }));

/** Nobody else touches that volume. */
export function worksFor({ nodes, consumers }: Topology, withinMs: number): readonly Step[] {
  const [first, second] = nodes;
  const [by = ''] = consumers;
  if (first === undefined || second === undefined) return [];
  const file = { volume: 'after', by, file: 'one', outcome: 'ok', withinMs } as const;
  const order = {
    sizeGib: 0.25,
    constraints: first.labels,
    exports: [{ consumer: by, access: 'rw' }],
  } as const;
  const ready = (volume: string, on: string): Step => ({
    await: { volume, state: 'ready', on, exported: true },
    withinMs,
  });
  return [
    { call: { create: 'after', ...order }, via: second.name, status: 202 },
    ready('after', first.name),
    { io: 'write', ...file },
    { call: { clone: 'its-clone', of: 'after', sizeGib: 0.25 }, via: first.name, status: 202 },
    ready('its-clone', first.name),
    { call: { resize: 'after', sizeGib: 0.5, constraints: second.labels }, via: first.name, status: 202 },
    ready('after', second.name),
    { io: 'read', ...file },
  ];
}
