import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../../src/daemon/settings.ts';

const LEAST = { COBALT_NODE_NAME: 'node-a', COBALT_ETCD_ENDPOINTS: 'http://etcd:2379' };

describe('the settings', () => {
  it('have defaults for all but name and etcd', () => {
    expect(readSettings(LEAST)).toEqual({
      nodeName: 'node-a',
      address: 'node-a',
      etcdEndpoints: ['http://etcd:2379'],
      roles: ['api', 'engine', 'agent'],
      restart: { api: 'always', engine: 'always', agent: 'always' },
      volumePath: '/srv/cobalt',
      capacityGib: null,
      labels: {},
      leaseTtlSeconds: 5,
      apiHost: '127.0.0.1',
      apiPort: 8080,
      reconcileIntervalMs: 10_000,
      trashRetentionMs: 86_400_000,
      storage: 'btrfs',
      exporter: 'ganesha',
      logLevel: 'info',
      failpoints: {},
    });
  });

  it('are read from text', () => {
    const settings = readSettings({
      ...LEAST,
      COBALT_ETCD_ENDPOINTS: 'http://a:2379, http://[::1]:2379/,https://c',
      COBALT_ROLES: 'agent, api',
      COBALT_RESTART: 'engine=never,agent=always',
      COBALT_CAPACITY_GIB: '2.5',
      COBALT_LABELS: 'zone=eu-1,disk=ssd,empty=',
      COBALT_API_HOST: '0.0.0.0',
      COBALT_API_PORT: '0',
    });
    expect(settings).toMatchObject({
      etcdEndpoints: ['http://a:2379', 'http://[::1]:2379', 'https://c'],
      roles: ['agent', 'api'],
      restart: { api: 'always', engine: 'never', agent: 'always' },
      capacityGib: 2.5,
      labels: { zone: 'eu-1', disk: 'ssd', empty: '' },
      apiHost: '0.0.0.0',
      apiPort: 0,
    });
    expect(readSettings({ ...LEAST, COBALT_RESTART: 'never' }).restart.api).toBe('never');
  });

  it('count an empty variable as unset', () => {
    expect(readSettings({ ...LEAST, COBALT_ADDRESS: '', COBALT_LABELS: ' ' })).toMatchObject({
      address: 'node-a',
      labels: {},
    });
  });

  it.each([
    ['COBALT_NODE_NAME', undefined],
    ['COBALT_NODE_NAME', 'Node_A'],
    ['COBALT_ADDRESS', 'a b'],
    ['COBALT_ETCD_ENDPOINTS', 'etcd:2379'],
    ['COBALT_ETCD_ENDPOINTS', ','],
    ['COBALT_ROLES', 'api,king'],
    ['COBALT_ROLES', 'api,api'],
    ['COBALT_RESTART', 'sometimes'],
    ['COBALT_RESTART', 'king=always'],
    ['COBALT_VOLUME_PATH', 'srv'],
    ['COBALT_VOLUME_PATH', '/srv/../etc'],
    ['COBALT_CAPACITY_GIB', '-1'],
    ['COBALT_CAPACITY_GIB', '1e3'],
    ['COBALT_LABELS', 'zone'],
    ['COBALT_LABELS', 'a=1,a=2'],
    ['COBALT_LEASE_TTL_SECONDS', '1'],
    ['COBALT_API_PORT', '65536'],
    ['COBALT_RECONCILE_INTERVAL_MS', '0'],
    ['COBALT_STORAGE', 'zfs'],
    ['COBALT_LOG_LEVEL', 'loud'],
  ])('name %s when it is %p', (name, value) => {
    const read = () => readSettings({ ...LEAST, [name]: value });
    expect(read).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(name) }),
    );
  });

  it('are all in .env.template, which holds the defaults', () => {
    const template = readFileSync(join(import.meta.dirname, '../../../.env.template'), 'utf8');
    const sources = ['src/daemon/settings.ts', 'src/cli/settings.ts', 'images/node/entrypoint.sh']
      .map((path) => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8'))
      .join('\n');
    const entries = [...template.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    const names = new Set(
      [...sources.matchAll(/\b(COBALT_\w+)|environment\.(\w+)/g)].map(([, own, other]) => own ?? other),
    );
    expect(new Set(entries.map(([name]) => name))).toEqual(names);
    expect(readSettings(Object.fromEntries(entries))).toEqual(
      readSettings({ COBALT_NODE_NAME: 'node-a', COBALT_ETCD_ENDPOINTS: 'http://127.0.0.1:2379' }),
    );
  });
});
