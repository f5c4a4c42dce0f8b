// Heals what a rig that died has left broken in its cluster.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSystemRandom } from '../base/random.ts';
import { deadline } from './checks/work-clock.ts';
import { createClients } from './clients.ts';
import type { Deployment } from './deployment.ts';
import type { Hit, Site } from './faults/fault.ts';
import { healOwed, type Reaped } from './faults/owed.ts';
import type { RecordedRun } from './history.ts';
import { callSomeNode } from './site.ts';

/** Answers what came of each, in the order in which they were healed. */
export function reap(options: {
  readonly deployment: Deployment;
  readonly clock: Clock;
  readonly run: RecordedRun;
  readonly hits: readonly Hit[];
  readonly signal: AbortSignal;
}): Promise<readonly Reaped[]> {
  const { deployment, clock, run, hits, signal } = options;
  const never = (): never => {
    throw new RigError('unsupported', 'nothing is injected by who only heals');
  };
  // The run is over: its record stays as it is.
  const journal = { atMs: clock.monotonicMs, record: () => undefined, machine: [] };
  const clients = createClients({ deployment, journal });
  const site: Site = {
    deployment,
    clock,
    random: createSystemRandom(),
    signal,
    deadline: (boundMs) => deadline(journal, boundMs),
    view: never,
    addNode: never,
    recorded: never,
    call: (request, except) => callSomeNode({ clients, deployment }, request, except),
    act: (act, member, role) => deployment.act(act, member, role),
    idOf: (volume) => idOf(run, volume),
  };
  return healOwed(site, hits);
}

/** By what the API has answered to whoever ordered it. */
function idOf({ history }: RecordedRun, volume: string): string {
  for (const event of history) {
    if (event.type !== 'call' || event.phase !== 'ok' || event.operation.kind !== 'http') continue;
    const { method, path, body } = event.operation;
    const isOrder = method === 'POST' && path === '/volumes' && (body as { name?: unknown }).name === volume;
    if (isOrder) return (event.body as { id: string }).id;
  }
  throw new RigError('not_found', `the run never created volume ${volume}`);
}
