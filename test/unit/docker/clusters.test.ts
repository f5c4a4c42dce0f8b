import { describe, expect, it } from '@jest/globals';
import type Docker from 'dockerode';
import { listClusters } from '../../../src/rig/docker/clusters.ts';

const container = (runId: string, service: string, rest: object = {}) => ({
  Id: `id-${service}`,
  State: 'running',
  Ports: [],
  NetworkSettings: { Networks: {} },
  Labels: {
    'dev.cobalt-rig.run': runId,
    'com.docker.compose.service': service,
    'com.docker.compose.project.config_files': `/elsewhere/runs/${runId}/compose.yaml`,
  },
  ...rest,
});

describe('the clusters on an engine', () => {
  it('name the reaper that guards them, so that what is made anew is labelled as it was', async () => {
    const made = container('up-a', 'node1');
    const labels = { ...made.Labels, 'dev.cobalt-rig.guarded-by': 'r1' };
    const docker = { listContainers: async () => [{ ...made, Labels: labels }] } as unknown as Docker;
    expect(await listClusters(docker)).toMatchObject([{ runId: 'up-a', guard: 'r1' }]);
  });

  it('are told by their labels, with where each member is', async () => {
    const all = [
      container('up-b', 'node2', { State: 'paused' }),
      container('up-a', 'node1', {
        Ports: [
          { PrivatePort: 8080, PublicPort: 20001, IP: '127.0.0.1', Type: 'tcp' },
          { PrivatePort: 2049, Type: 'tcp' },
        ],
        NetworkSettings: { Networks: { default: { IPAddress: '172.20.0.3' } } },
      }),
      container('up-b', 'etcd', { State: 'dead' }),
    ];
    const docker = { listContainers: async () => all } as unknown as Docker;
    expect(await listClusters(docker)).toEqual([
      {
        runId: 'up-a',
        folder: '/elsewhere/runs/up-a',
        members: [
          {
            name: 'node1',
            container: 'id-node1',
            state: 'running',
            ports: new Map([[8080, 20001]]),
            address: '172.20.0.3',
          },
        ],
      },
      {
        runId: 'up-b',
        folder: '/elsewhere/runs/up-b',
        members: [
          { name: 'etcd', container: 'id-etcd', state: 'exited', ports: new Map(), address: undefined },
          { name: 'node2', container: 'id-node2', state: 'paused', ports: new Map(), address: undefined },
        ],
      },
    ]);
  });
});
