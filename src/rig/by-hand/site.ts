// A cluster as faults find it that are injected and healed by hand: nothing is
// judged, so nothing but the faults themselves is on record.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { createSystemRandom } from '../../base/random.ts';
import { isVolumeId } from '../../model/names.ts';
import { deadline } from '../checks/work-clock.ts';
import { createClients } from '../clients.ts';
import type { Deployment } from '../deployment.ts';
import type { Site } from '../faults/fault.ts';
import type { HistoryEvent } from '../history.ts';
import { callSomeNode, viewOf } from '../site.ts';

export function createHandSite(options: {
  readonly deployment: Deployment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** The node whose engine leads now, as etcd says. */
  readonly leader: () => Promise<string | undefined>;
  /** See {@link Site.recorded}. */
  readonly recorded: () => number;
  /** Of the run that has kept the cluster; its script's names of volumes are known by that. */
  readonly history: readonly HistoryEvent[];
}): Site {
  const { deployment, clock, signal, leader, recorded, history } = options;
  // The run, if there was one, is over: its record stays as it is.
  const journal = { atMs: clock.monotonicMs, record: () => undefined, machine: [] };
  const clients = createClients({ deployment, journal });
  return {
    deployment,
    clock,
    random: createSystemRandom(),
    signal,
    deadline: (boundMs) => deadline(journal, boundMs),
    view: async () => viewOf(deployment, await leader()),
    addNode: async (name) => {
      const node = deployment.topology.nodes.find((candidate) => candidate.name === name);
      if (node === undefined) throw new RigError('invalid', `the topology has no node ${name}`);
      await deployment.addNode(node);
    },
    recorded,
    call: (request, except) => callSomeNode({ clients, deployment }, request, except),
    act: (act, member, options) => deployment.act(act, member, options),
    idOf: (volume) => (isVolumeId(volume) ? volume : idOf(history, volume)),
  };
}

/** By what the API has answered to whoever ordered it. */
function idOf(history: readonly HistoryEvent[], volume: string): string {
  for (const event of history) {
    if (event.type !== 'call' || event.phase !== 'ok' || event.operation.kind !== 'http') continue;
    const { method, path, body } = event.operation;
    const isOrder = method === 'POST' && path === '/volumes' && (body as { name?: unknown }).name === volume;
    if (isOrder) return (event.body as { id: string }).id;
  }
  throw new RigError('not_found', `the run never created volume ${volume}`);
}
