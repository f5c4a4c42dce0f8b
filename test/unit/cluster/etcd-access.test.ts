import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readEtcdAccess } from '../../../src/cluster/etcd-access.ts';
import { readEtcdVariables } from '../../../src/cluster/settings.ts';
import { OWN } from '../daemon/certificates.ts';

const PLAIN = ['http://127.0.0.1:2379'];
const SECURE = ['https://127.0.0.1:2379'];

let folder = '';
const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'etcd-access-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what the rig shows to an etcd that is there', () => {
  it('is named by the variables of a daemon, and by no other', () => {
    const about = { COBALT_ETCD_USER: 'cobalt', COBALT_ETCD_PASSWORD_FILE: '/run/password' };
    const others = { COBALT_ETCD_ENDPOINTS: 'http://other:2379', COBALT_API_TOKEN_FILE: '/run/token' };
    expect(readEtcdVariables({ ...about, ...others, COBALT_ETCD_CA_FILE: '' })).toEqual(about);
  });

  it('is nothing where nothing is named', async () => {
    const { credentials, variables } = await readEtcdAccess(PLAIN, {});
    expect(variables).toEqual({});
    expect(credentials).toMatchObject({ user: undefined, password: undefined, tls: {} });
  });

  it('is read from their files, the password as it is when it is asked for', async () => {
    const password = write('password', 'the first\n');
    const variables = {
      COBALT_ETCD_USER: 'cobalt',
      COBALT_ETCD_PASSWORD_FILE: password,
      COBALT_ETCD_CA_FILE: write('ca.pem', OWN.cert),
      COBALT_ETCD_CERT_FILE: write('own.pem', OWN.cert),
      COBALT_ETCD_KEY_FILE: write('own.key', OWN.key),
    };
    const { credentials } = await readEtcdAccess(SECURE, variables);
    const tls = { ca: OWN.cert, cert: OWN.cert, key: OWN.key };
    expect(credentials).toMatchObject({ user: 'cobalt', password: 'the first', tls });
    write('password', 'the second\n');
    expect(await credentials.readPassword?.()).toBe('the second');
  });

  it('is refused as a daemon refuses it', async () => {
    const open = write('open', 'a password\n');
    chmodSync(open, 0o644);
    const user = { COBALT_ETCD_USER: 'cobalt' };
    const cases: readonly [readonly string[], Record<string, string>, string][] = [
      [PLAIN, user, 'COBALT_ETCD_PASSWORD_FILE is needed with COBALT_ETCD_USER'],
      [PLAIN, { COBALT_ETCD_CA_FILE: write('ca.pem', OWN.cert) }, 'must all begin with https://'],
      [PLAIN, { ...user, COBALT_ETCD_PASSWORD_FILE: open }, 'can be read or written by every user'],
      [SECURE, { COBALT_ETCD_CA_FILE: join(folder, 'none') }, 'is missing'],
    ];
    for (const [endpoints, variables, words] of cases) {
      const refused = expect(readEtcdAccess(endpoints, variables)).rejects;
      await refused.toMatchObject({ code: 'invalid', message: expect.stringContaining(words) });
    }
  });
});
