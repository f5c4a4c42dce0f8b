// What a place to inject faults at has to have, for tests that don't come to need it.

import type { Clock } from '../../src/base/clock.ts';
import { createSeededRandom } from '../../src/base/random.ts';
import { deadline } from '../../src/rig/checks/work-clock.ts';
import type { Site } from '../../src/rig/faults/fault.ts';
import type { ClusterView } from '../../src/rig/faults/select.ts';
import type { MachineEvent } from '../../src/rig/history.ts';
import { etcdMembers, presentNodes, type Topology } from '../../src/rig/topology.ts';

const none = (): never => {
  throw new Error('this test has none');
};

export const NOT_NEEDED: Pick<Site, 'addNode' | 'call' | 'recorded'> = {
  addNode: none,
  call: none,
  recorded: none,
};

/** A machine that nobody else uses, from the first moment to the last. */
export const QUIET: MachineEvent = {
  type: 'machine',
  atMs: Number.MAX_SAFE_INTEGER,
  overMs: Number.MAX_SAFE_INTEGER,
  lateMs: 0,
  runnable: 1,
  cores: 1,
};

/** On such a machine. */
export const deadlineOn =
  (clock: Clock): Site['deadline'] =>
  (boundMs) =>
    deadline({ atMs: clock.monotonicMs, machine: [QUIET] }, boundMs);

/** Where faults are injected into a cluster in containers of which nobody asks more than its topology. */
export const siteAt = ({ clock, deployment, idOf }: Pick<Site, 'clock' | 'deployment' | 'idOf'>): Site => ({
  ...NOT_NEEDED,
  deployment,
  clock,
  deadline: deadlineOn(clock),
  random: createSeededRandom(1),
  signal: new AbortController().signal,
  view: async () => viewOf(deployment.topology),
  act: (act, member, options) => deployment.act(act, member, options),
  idOf,
});

/** All run, and the first of each leads. */
export function viewOf(topology: Topology): ClusterView {
  const nodes = presentNodes(topology).map(({ name }) => name);
  const etcd = etcdMembers(topology);
  const { consumers } = topology;
  return { nodes, engines: nodes, etcd, consumers, leader: nodes[0], etcdLeader: etcd[0] };
}
