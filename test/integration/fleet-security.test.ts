// A fleet in front of an etcd that asks for a certificate and for a password.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { execa } from 'execa';
import { createLog } from '../../src/base/log.ts';
import { createSystemRandom } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { readEtcdAccess } from '../../src/cluster/etcd-access.ts';
import { createCluster } from '../../src/fleet/cluster-file.ts';
import { type RunningCluster, runCluster } from '../../src/fleet/run.ts';
import { createHttpNetwork } from '../../src/network/http.ts';
import { makeCertificates } from '../support/certificates.ts';
import { clock } from '../support/cluster.ts';
import { startEtcd } from '../support/etcd.ts';
import { enableAuth, withTls } from '../support/secure-etcd.ts';
import { clusterOf } from '../unit/fleet/clusters.ts';

jest.setTimeout(120_000);

const USER = { user: 'fleet', password: 'the-right-password' };

it('registers there, with an API and an engine of its own', async () => {
  const certificates = await makeCertificates();
  await using etcd = await startEtcd(withTls(certificates));
  await enableAuth(etcd, USER);
  const folder = await mkdtemp(join(tmpdir(), 'fleet-secure-'));
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const variables = {
    COBALT_ETCD_USER: USER.user,
    COBALT_ETCD_PASSWORD_FILE: await file('password', USER.password),
    COBALT_ETCD_CA_FILE: await file('ca.pem', certificates.ca),
    COBALT_ETCD_CERT_FILE: await file('client.pem', certificates.client.cert),
    COBALT_ETCD_KEY_FILE: await file('client.key', certificates.client.key),
  };
  const access = await readEtcdAccess(etcd.endpoints, variables);
  const network = createHttpNetwork({ clock });
  const said: string[] = [];
  const log = createLog({ write: (line) => void said.push(line), nowMs: clock.nowMs, level: 'warn' });
  const state = join(folder, 'state');
  await createCluster(state, { ...clusterOf(3), etcd: [...etcd.endpoints] });
  const stop = new AbortController();
  const started = Promise.withResolvers<RunningCluster>();
  const ended = runCluster(
    {
      ...{ folder: state, clock, random: createSystemRandom(), network, log, readAccess: async () => access },
      ...{ keepsDisks: true, control: true, onProgress: () => undefined, onRunning: started.resolve },
    },
    stop.signal,
  );
  ended.catch(started.reject);
  try {
    const cluster = await started.promise;
    await waitFor({
      ...{ clock, timeoutMs: 60_000, what: 'all to register, and the API to have etcd' },
      probe: async () => {
        const ready = await network.call({ method: 'GET', url: `${cluster.api}/readyz`, timeoutMs: 1_000 });
        return (cluster.isComplete() && ready.status === 200) || undefined;
      },
      describe: () => said.slice(-5).join('\n'),
    });
    const { body } = await network.call({ method: 'GET', url: `${cluster.api}/nodes`, timeoutMs: 1_000 });
    expect(JSON.parse(body).nodes).toHaveLength(3);

    const [from = ''] = etcd.endpoints;
    const copied = ['mirror', '--from', from, '--state', join(folder, 'copy'), '--json'];
    const mirror = (env: Record<string, string>) =>
      execa(process.execPath, ['src/cli/main.ts', ...copied], { env, reject: false });
    expect(JSON.parse((await mirror(variables)).stdout)).toMatchObject({
      nodes: ['sim-00001', 'sim-00002', 'sim-00003'],
      volumes: 0,
    });
    const stranger = await mirror({ COBALT_ETCD_CA_FILE: variables.COBALT_ETCD_CA_FILE });
    expect(stranger).toMatchObject({ exitCode: 3, stderr: expect.stringContaining('certificate') });
  } finally {
    stop.abort();
    await ended;
    await rm(folder, { recursive: true });
  }
});
