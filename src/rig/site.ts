// The cluster as faults find it while a script is performed.

import { RigError } from '../base/errors.ts';
import type { Role } from '../model/volume.ts';
import { deadline } from './checks/work-clock.ts';
import type { Act, Deployment } from './deployment.ts';
import { etcdLeader } from './etcd-conditions.ts';
import type { Site } from './faults/fault.ts';
import type { ClusterView } from './faults/select.ts';
import { leaderOf, type Names, type Stage } from './stage.ts';
import { etcdMembers, presentNodes } from './topology.ts';

export function createSite(stage: Stage, names: Names): Site {
  const { clock, deployment, journal, random, signal } = stage;
  return {
    clock,
    deployment,
    random,
    signal,
    deadline: (boundMs) => deadline(journal, boundMs),
    idOf: names.idOf,
    view: () => viewOf(stage.deployment, leaderOf(stage.recorder)),
    act: (act, member, options) => actOnRecord(stage, act, member, options),
    addNode: (name) => addOnRecord(stage, name),
    call: (request, except) => callSomeNode(stage, request, except),
    recorded: stage.recorder.revision,
  };
}

/** Recorded as the end of an absence that began with the run. */
export async function addOnRecord({ deployment, journal }: Stage, name: string): Promise<void> {
  const node = deployment.topology.nodes.find((candidate) => candidate.name === name);
  if (node === undefined) throw new RigError('invalid', `the topology has no node ${name}`);
  const hit = { type: 'fault', fault: 'start', container: name } as const;
  journal.record({ ...hit, phase: 'inject' });
  await deployment.addNode(node);
  journal.record({ ...hit, phase: 'injected' });
}

/** {@link Site.call}. */
export const callSomeNode = async (
  { clients, deployment }: Pick<Stage, 'clients' | 'deployment'>,
  request: Parameters<Site['call']>[0],
  except: string | undefined,
): ReturnType<Site['call']> => {
  for (const { name, roles } of presentNodes(deployment.topology)) {
    if (name === except || !roles.includes('api') || (await deployment.state(name)) !== 'running') continue;
    // A process has one call open at a time.
    const process = `nemesis ${request.path}`;
    const { status, body } = await clients.http({ process, node: name, ...request });
    if (status !== undefined) return { status, body };
  }
  return undefined;
};

/** {@link Deployment.act}, told to the record before anything is touched and once it was seen. */
export async function actOnRecord(
  { deployment, journal }: Stage,
  act: Act,
  member: string,
  options?: { readonly role?: Role },
): Promise<void> {
  const hit = { fault: act, container: member, ...options };
  journal.record({ type: 'fault', phase: 'inject', ...hit });
  await deployment.act(act, member, options);
  journal.record({ type: 'fault', phase: 'injected', ...hit });
}

/** The cluster as it is now; `leader` is the node whose engine leads. */
export async function viewOf(deployment: Deployment, leader: string | undefined): Promise<ClusterView> {
  const { topology } = deployment;
  const running = async (members: readonly string[]): Promise<readonly string[]> => {
    const states = await Promise.all(members.map((member) => deployment.state(member)));
    return members.filter((_, index) => states[index] === 'running');
  };
  const nodes = await running(topology.nodes.map(({ name }) => name));
  const having = new Set(
    topology.nodes.filter(({ roles }) => roles.includes('engine')).map(({ name }) => name),
  );
  const etcd = etcdMembers(topology);
  return {
    nodes,
    engines: nodes.filter((name) => having.has(name)),
    etcd,
    consumers: topology.consumers,
    leader,
    etcdLeader: await etcdLeader(deployment, await running(etcd)),
  };
}
