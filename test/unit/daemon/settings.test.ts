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
      apiRatePerSecond: 1000,
      agentHost: '127.0.0.1',
      agentPort: 8081,
      maxMoves: 2,
      rebalancePercent: 20,
      reconcileIntervalMs: 10_000,
      trashRetentionMs: 86_400_000,
      callbackGiveUpMs: 3_600_000,
      callbackLoopback: false,
      apiTokenFile: null,
      tlsCertFile: null,
      tlsKeyFile: null,
      tlsCaFile: null,
      apiClientCerts: 'none',
      etcdUser: null,
      etcdPasswordFile: null,
      etcdCaFile: null,
      etcdCertFile: null,
      etcdKeyFile: null,
      storage: 'btrfs',
      exporter: 'ganesha',
      backendsSocket: null,
      logLevel: 'info',
      failpoints: {},
      failpointsFile: null,
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
    ['COBALT_AGENT_PORT', '0'],
    ['COBALT_MAX_MOVES', '-1'],
    ['COBALT_REBALANCE_PERCENT', '0'],
    ['COBALT_API_RATE_PER_SECOND', '1.5'],
    ['COBALT_CALLBACK_GIVE_UP_MS', 'never'],
    ['COBALT_CALLBACK_LOOPBACK', 'yes'],
    ['COBALT_API_TOKEN_FILE', 'token'],
    ['COBALT_TLS_KEY_FILE', '/etc/a b'],
    ['COBALT_API_CLIENT_CERTS', 'some'],
    ['COBALT_ETCD_USER', 'a:b'],
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

  it('tell of everything that is wrong at once, in words that say what is allowed', () => {
    const read = () =>
      readSettings({
        COBALT_ROLES: 'api,king',
        COBALT_STORAGE: 'zfs',
        COBALT_API_PORT: '65536',
        COBALT_TLS_CERT_FILE: '/c',
      });
    expect(read).toThrow(
      expect.objectContaining({
        message: [
          'COBALT_NODE_NAME is not set',
          'COBALT_ETCD_ENDPOINTS is not set',
          "COBALT_ROLES has no role 'king'; it is a list of api, engine, agent (given: 'api,king')",
          "COBALT_API_PORT must be at most 65535 (given: '65536')",
          "COBALT_STORAGE must be btrfs or memory (given: 'zfs')",
          'COBALT_TLS_KEY_FILE is needed with COBALT_TLS_CERT_FILE',
          'COBALT_TLS_CA_FILE is needed with COBALT_TLS_CERT_FILE',
        ].join('; '),
        next: expect.stringContaining('COBALT_STORAGE, COBALT_TLS_KEY_FILE'),
      }),
    );
  });

  const TLS = {
    COBALT_TLS_CERT_FILE: '/tls/cert.pem',
    COBALT_TLS_KEY_FILE: '/tls/key.pem',
    COBALT_TLS_CA_FILE: '/tls/ca.pem',
  };
  const SAFE_ETCD = { COBALT_ETCD_ENDPOINTS: 'https://a:2379,https://b:2379' };

  it.each<[Record<string, string>, string]>([
    [{ COBALT_TLS_CERT_FILE: '/c' }, 'COBALT_TLS_KEY_FILE is needed with COBALT_TLS_CERT_FILE'],
    [{ ...TLS, COBALT_TLS_CERT_FILE: '' }, 'COBALT_TLS_CERT_FILE is needed with COBALT_TLS_KEY_FILE'],
    [{ ...TLS, COBALT_TLS_CA_FILE: '' }, 'COBALT_TLS_CA_FILE is needed with COBALT_TLS_CERT_FILE'],
    [{ COBALT_API_CLIENT_CERTS: 'required' }, 'COBALT_TLS_CA_FILE is needed with COBALT_API_CLIENT_CERTS'],
    [{ COBALT_ETCD_USER: 'cobalt' }, 'COBALT_ETCD_PASSWORD_FILE is needed with COBALT_ETCD_USER'],
    [{ COBALT_ETCD_PASSWORD_FILE: '/p' }, 'COBALT_ETCD_USER is needed with COBALT_ETCD_PASSWORD_FILE'],
    [{ ...SAFE_ETCD, COBALT_ETCD_KEY_FILE: '/k' }, 'COBALT_ETCD_CERT_FILE is needed'],
    [{ COBALT_ETCD_CA_FILE: '/ca' }, 'COBALT_ETCD_ENDPOINTS must all begin with https://'],
  ])('refuse half a protection: %p', (given, message) => {
    expect(() => readSettings({ ...LEAST, ...given })).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(message) }),
    );
  });

  it('take whole protections', () => {
    const etcd = {
      ...SAFE_ETCD,
      COBALT_ETCD_CA_FILE: '/ca',
      COBALT_ETCD_CERT_FILE: '/c',
      COBALT_ETCD_KEY_FILE: '/k',
    };
    const user = { COBALT_ETCD_USER: 'cobalt', COBALT_ETCD_PASSWORD_FILE: '/run/secrets/..data/password' };
    expect(
      readSettings({ ...LEAST, ...TLS, COBALT_API_CLIENT_CERTS: 'required', ...etcd, ...user }),
    ).toMatchObject({
      tlsCaFile: '/tls/ca.pem',
      apiClientCerts: 'required',
      etcdCaFile: '/ca',
      etcdUser: 'cobalt',
    });
  });

  it("don't repeat a password that somebody put into a URL", () => {
    const read = () => readSettings({ ...LEAST, COBALT_ETCD_ENDPOINTS: 'http://root:hunter2@etcd:2379' });
    expect(read).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  });

  it('are all in .env.template, which holds the defaults', () => {
    const template = readFileSync(join(import.meta.dirname, '../../../.env.template'), 'utf8');
    const sources = [
      'src/daemon/settings.ts',
      'src/daemon/security-settings.ts',
      'src/cluster/settings.ts',
      'images/node/entrypoint.sh',
    ]
      .map((path) => readFileSync(join(import.meta.dirname, '../../..', path), 'utf8'))
      .join('\n');
    const entries = [...template.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    // By which the rig knows how it was started.
    const notForPeople = ['COBALT_RIG_COMMAND', 'npm_lifecycle_event'];
    const names = new Set(
      [...sources.matchAll(/\b(COBALT_\w+)|environment\.(\w+)/g)].map(([, own, other]) => own ?? other),
    );
    for (const name of notForPeople) expect(names.delete(name)).toBe(true);
    expect(new Set(entries.map(([name]) => name))).toEqual(names);
    expect(readSettings(Object.fromEntries(entries))).toEqual(
      readSettings({ COBALT_NODE_NAME: 'node-a', COBALT_ETCD_ENDPOINTS: 'http://127.0.0.1:2379' }),
    );
  });
});
