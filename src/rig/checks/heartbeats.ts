// An agent that no fault touched never loses its lease.
//
// Assumes that a node's key is put under the agent's lease when it registers
// and stays under that one lease for as long as the agent lives. A node is
// judged until the first fault on its container, its agent or etcd, and only if
// that is more than one TTL after it registered: before that a lease that
// nobody renews would not have expired yet.

import { NODES_PREFIX, nameIn } from '../../kv/keys.ts';
import type { Check, EtcdEvent } from '../history.ts';
import { endMs, hits, outages } from './outages.ts';
import { answersOf, count, position } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('heartbeats');

export const heartbeats: Check = (run) => {
  const ttlMs = run.topology.settings.leaseTtlSeconds * 1000;
  const lastMs = endMs(run);
  const faults = outages(run);
  const judged: string[] = [];
  const registrations = new Map<string, EtcdEvent>();
  const horizons = new Map<string, number>();
  const horizonOf = (node: string): number => {
    const known = horizons.get(node);
    if (known !== undefined) return known;
    const relevant = faults.filter(
      // An etcd or a node that was absent from the beginning had nothing to lose.
      (outage) => outage.fromMs > 0 && (outage.container === 'etcd' || hits(outage, node, 'agent')),
    );
    const horizon = Math.min(...relevant.map((outage) => outage.fromMs), Number.POSITIVE_INFINITY);
    horizons.set(node, horizon);
    return horizon;
  };
  for (const event of run.etcd) {
    if (!event.key.startsWith(NODES_PREFIX)) continue;
    const node = nameIn(NODES_PREFIX, event.key);
    if (event.atMs >= horizonOf(node)) continue;
    const first = registrations.get(node);
    if (first === undefined) {
      if (event.kind === 'delete') continue;
      registrations.set(node, event);
      if (Math.min(horizonOf(node), lastMs) - event.atMs > ttlMs) judged.push(node);
    }
    const registered = first ?? event;
    const reason = lossOf(registered, event);
    if (reason === undefined) continue;
    return invalid(`${node}, whose agent no fault had touched, ${reason}`, [
      `${position(registered)}: ${node} registers with lease ${registered.lease ?? 'none'}`,
      `${position(event)}: ${event.kind} of ${event.key}${event.lease === undefined ? '' : `, lease ${event.lease}`}`,
    ]);
  }
  if (judged.length === 0) return unknown('no agent was left alone for longer than its lease lasts');
  return valid(
    `${count(judged.length, 'agent')} kept one lease for as long as no fault touched it: ${judged.join(', ')}`,
  );
};

function lossOf(registered: EtcdEvent, event: EtcdEvent): string | undefined {
  if (event.kind === 'delete') return 'lost its key';
  if (event.lease === undefined || event.lease === '0') return 'put its key without a lease';
  if (event.lease !== registered.lease) return 'changed its lease';
  return undefined;
}
