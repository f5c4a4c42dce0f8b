// The daemon's processes: what dies with what, and what comes back.

import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import { VERSION_KEY } from '../../src/kv/keys.ts';
import { ROLES } from '../../src/model/volume.ts';
import { clock } from '../support/cluster.ts';
import { isAlive, startDaemon, type TestDaemon } from '../support/daemon.ts';
import { freePort, startEtcd } from '../support/etcd.ts';

jest.setTimeout(60_000);

/** Nobody listens there. */
const withoutEtcd = async (name: string): Promise<Record<string, string>> => ({
  COBALT_NODE_NAME: name,
  COBALT_VOLUME_PATH: `/srv/${name}`,
  COBALT_ETCD_ENDPOINTS: `http://127.0.0.1:${await freePort()}`,
});
const apiOf = async (daemon: TestDaemon): Promise<string> =>
  String((await daemon.logged('api.listening')).address);
const pidsOf = (daemon: TestDaemon): Promise<number[]> =>
  Promise.all(ROLES.map((role) => daemon.pidOf(role)));
const allGone = (pids: readonly number[]): Promise<true> =>
  waitFor({
    clock,
    what: `processes ${pids.join(', ')} to be gone`,
    timeoutMs: 10_000,
    probe: async () => pids.every((pid) => !isAlive(pid)) || undefined,
  });

it('starts and waits when etcd is not there: alive, not ready', async () => {
  await using daemon = startDaemon(await withoutEtcd('wait'));
  const url = await apiOf(daemon);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  for (const path of ['/readyz', '/volumes', '/nodes']) {
    const startedMs = clock.monotonicMs();
    const answer = await fetch(`${url}${path}`);
    expect({ path, status: answer.status }).toEqual({ path, status: 503 });
    expect(clock.monotonicMs() - startedMs).toBeLessThan(2000);
  }
  const pids = await pidsOf(daemon);
  for (const role of ROLES) await daemon.logged('etcd.unreachable', (line) => line.role === role);
  expect(pids.every(isAlive)).toBe(true);
  expect(daemon.log.filter(({ event }) => event === 'role.exited')).toEqual([]);
});

it('runs once a node, and once a disk, whatever the other is called', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-lock-'));
  await symlink(folder, `${folder}-link`);
  const environment = { ...(await withoutEtcd('once')), COBALT_VOLUME_PATH: folder };
  await using first = startDaemon(environment);
  await first.logged('role.started');
  await using samePath = startDaemon({
    ...environment,
    COBALT_NODE_NAME: 'twice',
    COBALT_VOLUME_PATH: `${folder}-link`,
  });
  expect(await samePath.exited).toBe(1);
  expect(samePath.complaint()).toMatch(/another daemon on .*-link runs.*Stop that daemon/);
  await using sameName = startDaemon({ ...environment, COBALT_VOLUME_PATH: '/srv/other' });
  expect(await sameName.exited).toBe(1);
  expect(sameName.complaint()).toMatch(/another daemon of node once runs.*Stop that daemon/);
  await using other = startDaemon({
    ...environment,
    COBALT_NODE_NAME: 'twice',
    COBALT_VOLUME_PATH: '/srv/other',
  });
  await other.logged('role.started');
  await using ofAnotherCluster = startDaemon({
    ...environment,
    COBALT_ETCD_ENDPOINTS: 'http://127.0.0.1:1',
    COBALT_VOLUME_PATH: '/srv/third',
  });
  await ofAnotherCluster.logged('role.started');
  await Promise.all([rm(`${folder}-link`), rm(folder, { recursive: true })]);
});

it('starts a killed role again, alone, or not at all, as it is told', async () => {
  await using daemon = startDaemon({ ...(await withoutEtcd('roles')), COBALT_RESTART: 'engine=never' });
  await apiOf(daemon);
  const [api, engine, agent] = (await pidsOf(daemon)) as [number, number, number];
  process.kill(engine, 'SIGKILL');
  await daemon.logged('role.exited', (line) => line.role === 'engine' && line.signal === 'SIGKILL');
  process.kill(agent, 'SIGKILL');
  await daemon.logged('role.started', (line) => line.role === 'agent' && line.pid !== agent);
  const started = daemon.log.filter(({ event }) => event === 'role.started').map(({ role }) => role);
  expect(started).toEqual([...ROLES, 'agent']);
  expect(await daemon.pidOf('api')).toBe(api);
  expect(isAlive(api)).toBe(true);
});

it('ends as a whole on SIGTERM, within seconds and with 0', async () => {
  await using daemon = startDaemon(await withoutEtcd('term'));
  await apiOf(daemon);
  const pids = await pidsOf(daemon);
  const startedMs = clock.monotonicMs();
  daemon.signal('SIGTERM');
  expect(await daemon.exited).toBe(0);
  expect(clock.monotonicMs() - startedMs).toBeLessThan(5000);
  expect(pids.some(isAlive)).toBe(false);
});

it('leaves nothing when it is killed, and its lock is free', async () => {
  const environment = await withoutEtcd('kill');
  await using daemon = startDaemon(environment);
  await apiOf(daemon);
  const pids = await pidsOf(daemon);
  daemon.signal('SIGKILL');
  await daemon.exited;
  await allGone(pids);
  await using next = startDaemon(environment);
  await next.logged('role.started');
});

it('names the variable that is wrong', async () => {
  await using daemon = startDaemon({ ...(await withoutEtcd('bad')), COBALT_LABELS: 'zone' });
  expect(await daemon.exited).toBe(78);
  expect(daemon.complaint()).toMatch(/^cobalt: COBALT_LABELS must be a list of key=value/);
});

it('refuses a cluster of another version, and gives up', async () => {
  await using etcd = await startEtcd();
  const kv = createEtcdKv({ endpoints: etcd.endpoints });
  await kv.transact({ compare: [], writes: [{ kind: 'put', key: VERSION_KEY, value: '2' }] });
  await kv.close();
  await using daemon = startDaemon({
    COBALT_NODE_NAME: 'version',
    COBALT_VOLUME_PATH: '/srv/version',
    COBALT_ETCD_ENDPOINTS: etcd.endpoints.join(','),
  });
  await daemon.logged('role.refused');
  expect(await daemon.exited).toBe(78);
});
