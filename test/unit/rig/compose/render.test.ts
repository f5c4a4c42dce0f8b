import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { GOLDEN_NAMES, renderGolden } from '../../../../src/rig/compose/goldens.ts';
import { type ComposeOptions, RUN_LABEL, renderCompose } from '../../../../src/rig/compose/render.ts';
import { parseTopology, type TopologyInput } from '../../../../src/rig/topology.ts';

const IMAGES = { etcd: 'etcd:1', node: 'node:1', consumer: 'consumer:1' };

const rendered = (topology: TopologyInput, more: Partial<ComposeOptions> = {}) =>
  parse(renderCompose({ topology: parseTopology(topology, 'test'), project: 'p', images: IMAGES, ...more }));

const TWO: TopologyInput = {
  nodes: [
    {
      name: 'node1',
      capacityGib: 6,
      labels: { zone: 'a', disk: 'ssd' },
      roles: ['api', 'agent'],
      restart: { engine: 'never' },
    },
    { name: 'node2' },
  ],
  consumers: ['consumer1'],
  settings: {
    leaseTtlSeconds: 5,
    reconcileIntervalMs: 250,
    trashRetentionMs: 0,
    maxMoves: 3,
    rebalancePercent: 50,
  },
};

describe('renderCompose', () => {
  it.each(GOLDEN_NAMES)('has compose/%s.yaml checked in as it renders it', (name) => {
    const path = join(import.meta.dirname, '../../../../compose', `${name}.yaml`);
    // When this fails: npm run rig -- render --write
    expect(readFileSync(path, 'utf8')).toBe(renderGolden(name));
  });

  it('has a service for etcd, for each node and for each consumer', () => {
    const { name, services, volumes } = rendered(TWO);
    expect(name).toBe('p');
    expect(Object.keys(services)).toEqual(['etcd', 'node1', 'node2', 'consumer1']);
    expect(Object.keys(volumes)).toEqual(['etcd-data', 'node1-data', 'node2-data']);
  });

  it('tells a node all that the topology says of it', () => {
    expect(rendered(TWO).services.node1.environment).toEqual({
      COBALT_NODE_NAME: 'node1',
      COBALT_ADDRESS: 'node1',
      COBALT_ETCD_ENDPOINTS: 'http://etcd:2379',
      COBALT_ROLES: 'api,agent',
      COBALT_RESTART: 'api=always,engine=never,agent=always',
      COBALT_CAPACITY_GIB: '6',
      COBALT_DISK_GIB: '8',
      COBALT_LABELS: 'disk=ssd,zone=a',
      COBALT_LEASE_TTL_SECONDS: '5',
      COBALT_RECONCILE_INTERVAL_MS: '250',
      COBALT_TRASH_RETENTION_MS: '0',
      COBALT_API_HOST: '0.0.0.0',
      COBALT_API_PORT: '8080',
      COBALT_AGENT_HOST: '0.0.0.0',
      COBALT_AGENT_PORT: '8081',
      COBALT_MAX_MOVES: '3',
      COBALT_REBALANCE_PERCENT: '50',
    });
  });

  it.each([3, 5] as const)('has a service for each of %d members of etcd, who know each other', (members) => {
    const { services, volumes } = rendered({ ...TWO, etcd: { members } });
    const names = Array.from({ length: members }, (_, index) => `etcd${index + 1}`);
    expect(Object.keys(services)).toEqual([...names, 'node1', 'node2', 'consumer1']);
    expect(Object.keys(volumes)).toEqual([
      ...names.map((name) => `${name}-data`),
      'node1-data',
      'node2-data',
    ]);
    const initial = names.map((name) => `${name}=http://${name}:2380`).join(',');
    for (const name of names) {
      expect(services[name]).toMatchObject({
        hostname: name,
        ports: ['127.0.0.1:20000-29999:2379'],
        volumes: [`${name}-data:/var/lib/etcd`],
        environment: {
          ETCD_NAME: name,
          ETCD_ADVERTISE_CLIENT_URLS: `http://${name}:2379`,
          ETCD_INITIAL_ADVERTISE_PEER_URLS: `http://${name}:2380`,
          ETCD_INITIAL_CLUSTER: initial,
        },
      });
      expect(services[name].healthcheck.test).toContain('health');
    }
  });

  it('lets daemons look at a file of failpoints only where the topology says so', () => {
    const { services } = rendered({ ...TWO, settings: { failpointSwitches: true } });
    expect(services.node1.environment.COBALT_FAILPOINTS_FILE).toBe('/run/cobalt-failpoints');
    expect(rendered(TWO).services.node1.environment).not.toHaveProperty('COBALT_FAILPOINTS_FILE');
  });

  it('tells a member of etcd whose data is lost to join the others, and no other', () => {
    const { services } = rendered({ ...TWO, etcd: { members: 3 } }, { rejoining: ['etcd2'] });
    expect(services.etcd2.environment.ETCD_INITIAL_CLUSTER_STATE).toBe('existing');
    expect(services.etcd1.environment).not.toHaveProperty('ETCD_INITIAL_CLUSTER_STATE');
  });

  it('gives every node every member of etcd, beginning with different ones', () => {
    const { services } = rendered({ ...TWO, etcd: { members: 3 } });
    const [a, b, c] = ['http://etcd1:2379', 'http://etcd2:2379', 'http://etcd3:2379'];
    expect(services.node1.environment.COBALT_ETCD_ENDPOINTS).toBe([a, b, c].join(','));
    expect(services.node2.environment.COBALT_ETCD_ENDPOINTS).toBe([b, c, a].join(','));
  });

  it('has a node that joins later in a profile of its own, so that up leaves it out, and no other', () => {
    const { services, volumes } = rendered({
      ...TWO,
      nodes: [{ name: 'node1' }, { name: 'node2', starts: 'later' }],
    });
    expect(services.node2.profiles).toEqual(['later']);
    expect(services.node1).not.toHaveProperty('profiles');
    expect(Object.keys(volumes)).toContain('node2-data');
  });

  it('has nothing that two runs could fight over, and publishes on 127.0.0.1 only', () => {
    const { services, networks } = rendered(TWO);
    for (const service of Object.values(services) as Record<string, unknown>[]) {
      expect(service).not.toHaveProperty('container_name');
      for (const port of service.ports as readonly string[])
        expect(port).toMatch(/^127\.0\.0\.1:20000-29999:\d+$/);
    }
    expect(networks).toEqual({ default: {} });
  });

  it('labels every service, network and volume with the run, and nothing without one', () => {
    const { services, networks, volumes } = rendered(TWO, { runId: 'r1' });
    const all = [services, networks, volumes].flatMap((section) =>
      Object.values<{ labels?: object }>(section),
    );
    expect(all.map((each) => each.labels)).toEqual(all.map(() => ({ [RUN_LABEL]: 'r1' })));
    expect(
      renderCompose({ topology: parseTopology(TWO, 'test'), project: 'p', images: IMAGES }),
    ).not.toContain(RUN_LABEL);
  });

  it('asks for no more rights than BTRFS and NFS need', () => {
    const { services } = rendered(TWO);
    expect(services.node1).toMatchObject({
      cap_add: ['SYS_ADMIN', 'DAC_READ_SEARCH', 'NET_ADMIN'],
      device_cgroup_rules: ['b 7:* rmw', 'c 10:237 rmw'],
    });
    for (const service of Object.values(services)) expect(service).not.toHaveProperty('privileged');
    expect(services.etcd).toMatchObject({ cap_drop: ['ALL'] });
    expect(services.etcd).not.toHaveProperty('cap_add');
    expect(services.consumer1).toMatchObject({ cap_drop: ['ALL'], cap_add: ['NET_BIND_SERVICE'] });
  });

  it('gives FUSE to a node whose disk is breakable, and tells a node what hardware it has', () => {
    const { services } = rendered({
      nodes: [
        { name: 'node1', disk: 'breakable' },
        { name: 'node2', clock: 'own' },
      ],
    });
    expect(services.node1.device_cgroup_rules).toContain('c 10:229 rmw');
    expect(services.node1.environment).toMatchObject({ COBALT_DISK: 'breakable' });
    expect(services.node1.environment).not.toHaveProperty('COBALT_CLOCK');
    expect(services.node2.device_cgroup_rules).not.toContain('c 10:229 rmw');
    expect(services.node2.environment).toMatchObject({ COBALT_CLOCK: 'own' });
  });

  it('starts nodes without waiting for etcd', () => {
    expect(rendered(TWO).services.node1).not.toHaveProperty('depends_on');
  });

  it('takes another image for the nodes when the system comes as one, and pulls none', () => {
    const { services } = rendered({ ...TWO, system: { kind: 'image', image: 'example.org/cobalt:2' } });
    expect(services.node1).toMatchObject({ image: 'example.org/cobalt:2', pull_policy: 'never' });
    expect(services.etcd).toMatchObject({ image: 'etcd:1', pull_policy: 'never' });
  });

  it('is deterministic, whatever order the labels were given in', () => {
    const other: TopologyInput = {
      ...TWO,
      nodes: [{ ...TWO.nodes[0], name: 'node1', labels: { disk: 'ssd', zone: 'a' } }, { name: 'node2' }],
    };
    expect(rendered(other)).toEqual(rendered(TWO));
  });
});
