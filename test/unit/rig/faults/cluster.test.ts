import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../src/base/random.ts';
import type { Deployment, StoredKey } from '../../../../src/rig/deployment.ts';
import { etcdDataLoss } from '../../../../src/rig/faults/etcd-data-loss.ts';
import type { Hit } from '../../../../src/rig/faults/fault.ts';
import { leaseRevoked } from '../../../../src/rig/faults/lease-revoked.ts';
import { nodeRemoved } from '../../../../src/rig/faults/node-removed.ts';
import type { ClusterView } from '../../../../src/rig/faults/select.ts';
import type { SpecOf } from '../../../../src/rig/faults/spec.ts';
import { whole } from '../../../../src/rig/faults/whole.ts';
import { fakeSite } from './fake-site.ts';

const VIEW: ClusterView = {
  nodes: ['node1', 'node2'],
  engines: ['node1', 'node2'],
  etcd: ['etcd1', 'etcd2', 'etcd3'],
  consumers: [],
  leader: 'node1',
  etcdLeader: 'etcd1',
};
const random = createSeededRandom(1);

const storing = (keys: readonly string[]): Partial<Deployment> => ({
  store: {
    read: async (key: string): Promise<StoredKey | undefined> =>
      keys.some((name) => key.endsWith(name)) ? { createRevision: 1, lease: 'a' } : undefined,
  } as unknown as Deployment['store'],
});

describe('faults of the cluster', () => {
  it.each(['etcd-majority', 'etcd-all', ['etcd1', 'etcd2'], 'node1'])('never lose the data of %j', (on) => {
    const spec = { fault: 'etcd-data-loss', on } as const;
    expect(() => etcdDataLoss.members(spec, VIEW, random)).toThrow(
      expect.objectContaining({ code: 'invalid' }),
    );
  });

  it('lose the data of a minority', () => {
    const spec = { fault: 'etcd-data-loss', on: 'etcd-leader' } as const;
    expect(etcdDataLoss.members(spec, VIEW, random)).toEqual(['etcd1']);
  });

  it('start a member that was ended and still has its data, as the member that it was', async () => {
    const readmitted: string[] = [];
    const store = {
      readmit: async (member: string) => void readmitted.push(member),
      ailment: async () => undefined,
    } as unknown as Deployment['store'];
    const { site, states, acts } = fakeSite({ deployment: { store } });
    states.set('etcd1', 'exited');
    states.set('etcd2', 'created');
    const members = ['etcd1', 'etcd2'];
    await etcdDataLoss.heal(site, { id: 'a', spec: { fault: 'etcd-data-loss', on: members }, members });
    expect(readmitted).toEqual(['etcd2']);
    expect(acts).toEqual(['start etcd1', 'start etcd2']);
  });

  it('make a member anew that a rig has taken away before it died', async () => {
    const done: string[] = [];
    const store = {
      lose: async (member: string) => void done.push(`make ${member} anew`),
      readmit: async (member: string) => void done.push(`readmit ${member}`),
      ailment: async () => undefined,
    } as unknown as Deployment['store'];
    const { site, states, acts } = fakeSite({ deployment: { store } });
    states.set('etcd1', 'absent');
    const members = ['etcd1'];
    await etcdDataLoss.heal(site, { id: 'a', spec: { fault: 'etcd-data-loss', on: 'etcd1' }, members });
    expect([...done, ...acts]).toEqual(['make etcd1 anew', 'readmit etcd1', 'start etcd1']);
  });

  it('revoke the lease of every agent, but of no engine that has none', () => {
    const of = (on: string, role: 'agent' | 'engine') =>
      leaseRevoked.members({ fault: 'lease-revoked', on, role }, VIEW, random);
    expect(of('all', 'agent')).toEqual(['node1', 'node2']);
    expect(of('all', 'engine')).toEqual(['node1']);
    expect(() => of('node2', 'engine')).toThrow('no engine of node2 leads now');
  });

  it('are over when members run, are registered, and an engine leads', async () => {
    const looks = async (keys: readonly string[], state: 'running' | 'exited' = 'running') => {
      const { site, states } = fakeSite({ deployment: storing(keys) });
      states.set('node2', state);
      return whole(site, ['node1', 'node2']);
    };
    expect(await looks(['node1', 'node2', 'leader'])).toMatchObject({ holds: true });
    expect(await looks(['node1', 'leader'])).toEqual({ holds: false, seen: 'node2 is not registered' });
    expect(await looks(['node1', 'leader'], 'exited')).toEqual({ holds: false, seen: 'node2 is exited' });
    expect(await looks(['node1', 'node2'])).toEqual({ holds: false, seen: 'nobody leads' });
  });

  it('leave a node that can not be emptied, and let it take volumes again', async () => {
    const calls: string[] = [];
    const { site, acts } = fakeSite({ deployment: storing(['node3', 'leader']) });
    const full = { draining: true, volumes: { count: 1 }, remains: 0 };
    const hit: Hit<SpecOf<'node-removed'>> = {
      id: 'a',
      spec: { fault: 'node-removed', node: 'node3' },
      members: ['node3'],
    };
    const place = {
      ...site,
      call: async ({ method, body }: { readonly method: string; readonly body?: unknown }) => {
        calls.push(`${method} ${JSON.stringify(body)}`);
        return { status: 200, body: full };
      },
    };
    await nodeRemoved.inject(place, hit);
    expect(acts).toEqual([]);
    expect([calls[0], calls.at(-1)]).toEqual(['PUT {"draining":true}', 'PUT {"draining":false}']);
    expect(await nodeRemoved.shows(place, hit)).toMatchObject({ holds: false });
    expect(await nodeRemoved.healed(place, hit)).toEqual({ holds: true, seen: 'it has stayed' });
  });
});
