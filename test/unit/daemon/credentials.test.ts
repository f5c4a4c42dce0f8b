import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readCredentials, tokenCheck } from '../../../src/daemon/credentials.ts';
import type { SecuritySettings } from '../../../src/daemon/security-settings.ts';
import { readSettings } from '../../../src/daemon/settings.ts';
import { OTHER, OWN, type Pair } from './certificates.ts';

const NONE: SecuritySettings = readSettings({
  COBALT_NODE_NAME: 'node-a',
  COBALT_ETCD_ENDPOINTS: 'http://etcd:2379',
});
const TOKEN = 'a-token-of-24-characters';

let folder = '';
const path = (name: string): string => join(folder, name);

function write(name: string, text: string, mode = 0o600): string {
  writeFileSync(path(name), text);
  chmodSync(path(name), mode);
  return path(name);
}

/** Files that hold a certificate and its key. */
function writePair(name: string, { cert, key }: Pair): Pair {
  return { cert: write(`${name}.pem`, cert), key: write(`${name}-key.pem`, key) };
}

let own = { cert: '', key: '' };
let other = { cert: '', key: '' };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-credentials-'));
  own = writePair('own', OWN);
  other = writePair('other', OTHER);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('credentials', () => {
  it('are none when no file is named', async () => {
    expect(await readCredentials(NONE)).toEqual({ apiToken: null, tls: null, etcd: {} });
  });

  it('are read from their files, a final newline aside', async () => {
    const found = await readCredentials({
      ...NONE,
      apiTokenFile: write('token', `${TOKEN}\n`, 0o640),
      tlsCertFile: own.cert,
      tlsKeyFile: own.key,
      tlsCaFile: other.cert,
      etcdUser: 'cobalt',
      etcdPasswordFile: write('password', 'pa ss'),
      etcdCaFile: other.cert,
    });
    expect(found.apiToken).toBe(TOKEN);
    expect(found.tls?.key).toContain('PRIVATE KEY');
    expect(found.etcd).toMatchObject({ user: 'cobalt', password: 'pa ss', ca: found.tls?.ca });
    expect(found.etcd).not.toHaveProperty('cert');
  });

  it.each<[string, () => Partial<SecuritySettings>, RegExp]>([
    ['that is missing', () => ({ apiTokenFile: path('nowhere') }), /nowhere is missing/],
    ['that is a folder', () => ({ apiTokenFile: folder }), /(is not a file|cannot be read)/],
    ['that is empty', () => ({ apiTokenFile: write('empty', '\n') }), /empty is empty/],
    ['that is short', () => ({ apiTokenFile: write('short', 'secret') }), /does not hold a token/],
    ['of two lines', () => ({ apiTokenFile: write('two', `${TOKEN}\n${TOKEN}\n`) }), /does not hold a token/],
    ['that is large', () => ({ apiTokenFile: write('large', 'x'.repeat(2 ** 20 + 1)) }), /is larger than/],
    ['that all may read', () => ({ apiTokenFile: write('open', TOKEN, 0o644) }), /by every user/],
    [
      'of a password that all may read',
      () => ({ etcdUser: 'a', etcdPasswordFile: write('pw', 'x', 0o604) }),
      /by every user/,
    ],
    [
      'of a key that all may read',
      () => {
        const pair = writePair('bare', OWN);
        chmodSync(pair.key, 0o644);
        return { etcdCertFile: pair.cert, etcdKeyFile: pair.key };
      },
      /bare-key.pem can be read/,
    ],
    ['of another key', () => ({ etcdCertFile: own.cert, etcdKeyFile: other.key }), /is not the key of/],
    ['of no key', () => ({ etcdCertFile: own.cert, etcdKeyFile: write('nokey', 'x') }), /no private key/],
    ['of no certificate', () => ({ etcdCaFile: write('nocert', 'x') }), /no certificate/],
    [
      'of a spoilt certificate',
      () => ({
        etcdCaFile: write('spoilt', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
      }),
      /cannot be read/,
    ],
  ])('name a file %s, and nothing that it holds', async (_what, settings, message) => {
    const reading = readCredentials({ ...NONE, ...settings() });
    await expect(reading).rejects.toMatchObject({ code: 'invalid', message: expect.stringMatching(message) });
    await reading.catch((error: unknown) => {
      expect(JSON.stringify([String(error), (error as { next?: string }).next])).not.toContain(TOKEN);
    });
  });
});

describe('the token', () => {
  it('is told from everything else, whatever its length', () => {
    const isToken = tokenCheck(TOKEN);
    expect(isToken(TOKEN)).toBe(true);
    for (const wrong of ['', 'x', TOKEN.slice(1), `${TOKEN} `, TOKEN.toUpperCase(), TOKEN.repeat(9)]) {
      expect({ wrong, passes: isToken(wrong) }).toEqual({ wrong, passes: false });
    }
  });
});
