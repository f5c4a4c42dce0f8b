// A fleet, or a simulated cluster that is kept: nodes by its declaration and by etcd; power is all
// that can be taken from them.

import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { type Cluster, powered } from '../../fleet/cluster.ts';
import { changeCluster, type Running, readCluster, runningIn } from '../../fleet/cluster-file.ts';
import type { ClusterItem } from '../../rig/console/items.ts';
import type { ConsoleLogLine } from '../../rig/console/log-lines.ts';
import type { Order } from '../../rig/console/order.ts';
import type { SeenMember } from '../../rig/console/view.ts';
import { createEtcdPart } from './etcd-part.ts';
import { followFleetLogs } from './fleet-logs.ts';
import { createTaker } from './hands.ts';
import { createHub } from './hub.ts';
import type { ConsoleSource } from './source.ts';

const LIMITS =
  'Simulated nodes have power, and nothing else that can be taken from them: faults are for clusters in containers.';
const LOOK_EVERY_MS = 400;

/** Throws as {@link readCluster}. */
export async function openFleet(
  folder: string,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ConsoleSource> {
  await readCluster(folder);
  const title = `fleet in ${folder}`;
  const hub = createHub(clock);
  const etcd = createEtcdPart({ hub, clock, signal });
  const cluster: ClusterItem = { is: 'cluster', kind: 'fleet', title, folder, limits: LIMITS, gone: null };
  let gone: ClusterItem['gone'] = null;
  let wake = new AbortController();
  const look = async (): Promise<void> => {
    const [declared, running] = await Promise.all([readCluster(folder), runningIn(folder)]);
    gone = running === undefined ? notRunning(folder, gone?.atMs ?? clock.nowMs()) : null;
    hub.set('cluster', { cluster: { ...cluster, gone } });
    etcd.reachedAt(running?.etcd ?? []);
    etcd.membersAre(membersOf(declared, running));
  };
  const looks = async (): Promise<void> => {
    while (!signal.aborted) {
      wake = new AbortController();
      await look().catch((error: unknown) => {
        gone = {
          why: RigError.from(error).message,
          next: 'Put its folder right again.',
          atMs: gone?.atMs ?? clock.nowMs(),
        };
        hub.set('cluster', { cluster: { ...cluster, gone } });
      });
      await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
    }
  };
  const taker = createTaker({ hub, clock, carryOut: powerIn(folder, clock), onDone: () => wake.abort() });
  hub.tell({ type: 'logs', lines: [whereLogsAre(folder, clock.nowMs())] });
  const logs = followFleetLogs({ hub, clock, folder: join(folder, 'logs'), signal });
  const done = Promise.all([etcd.done, looks(), logs]).then(taker.idle);
  return { kind: 'fleet', title, hub, history: etcd.history, forms: [], give: taker.give, done };
}

const notRunning = (folder: string, atMs: number) => ({
  why: 'it does not run',
  next: `Start it with rig sim run --state ${folder}, and this page follows it.`,
  atMs,
});

const whereLogsAre = (folder: string, atMs: number): ConsoleLogLine => ({
  ...{ atMs, member: 'console', role: '', level: 'info' },
  text: `each node logs into a file of its own, ${folder}/logs/NODE.log: of a fleet errors, and all with --logs`,
});

/** Each with the power that it is to have; what it does with it, etcd tells. */
function membersOf({ nodes, devices }: Cluster, running: Running | undefined): readonly SeenMember[] {
  const seen = { kind: 'node', roles: {}, url: null, address: null } as const;
  const state = (power: 'on' | 'off') => (running === undefined || power === 'off' ? 'off' : 'running');
  return [
    ...nodes.map(({ name, power }) => ({ ...seen, name, state: state(power) }) as const),
    ...devices.map(
      ({ name }) => ({ ...seen, name, state: running === undefined ? 'off' : 'unknown' }) as const,
    ),
  ];
}

const powerIn =
  (folder: string, clock: Clock) =>
  async (order: Order): Promise<{ readonly state: 'done'; readonly told: string }> => {
    if (order.do !== 'power') throw new RigError('unsupported', LIMITS);
    const { power, to } = order;
    await changeCluster(folder, clock, (cluster) => powered(cluster, power, to));
    return {
      state: 'done',
      told: `${power === 'cycle' ? 'off and on again' : `power ${power}`}: ${to.join(', ')}`,
    };
  };
