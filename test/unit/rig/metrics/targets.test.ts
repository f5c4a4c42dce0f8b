import { describe, expect, it } from '@jest/globals';
import { findEtcd } from '../../../../src/rig/metrics/find-etcd.ts';
import { formatTargets, parseMembers } from '../../../../src/rig/metrics/targets.ts';
import { parseEndpoints } from '../../../../src/rig/overlay/nodes.ts';

const member = (...clientURLs: readonly string[]) => ({ name: 'm', clientURLs });
const MEMBERS = { members: [member('http://etcd1:2379'), member('http://10.0.0.2:2379/', 'http://x:1')] };
const FOUND = parseEndpoints('etcd1:2379,10.0.0.2:2379');

describe('formatTargets', () => {
  it('has a node by its name, and nobody who is not there', () => {
    const nodes = [{ name: 'node1', host: 'fd00::1', port: 80 }];
    expect(JSON.parse(formatTargets({ nodes, etcd: FOUND, frontDoor: undefined }))).toEqual([
      { targets: ['[fd00::1]:80'], labels: { job: 'node', node: 'node1' } },
      { targets: ['etcd1:2379', '10.0.0.2:2379'], labels: { job: 'etcd' } },
    ]);
    const [frontDoor] = parseEndpoints('front-door:8404');
    expect(JSON.parse(formatTargets({ nodes: [], etcd: [], frontDoor }))).toEqual([
      { targets: ['front-door:8404'], labels: { job: 'front-door' } },
    ]);
  });
});

describe('parseMembers', () => {
  it('takes the first address of each member that has one', () => {
    expect(parseMembers(MEMBERS)).toEqual(FOUND);
    expect(parseMembers({ members: [{ name: '' }, member(), member('https://e:1')] })).toEqual([]);
  });

  it.each([undefined, {}, { members: {} }, { members: [member('http://a b:1')] }])(
    'refuses what is no list of addresses: %p',
    (json) => {
      expect(() => parseMembers(json)).toThrow();
    },
  );
});

describe('findEtcd', () => {
  const answers: Record<string, unknown> = { 'good:1': MEMBERS, 'odd:1': { members: 'none' } };
  const fetch = async (url: string) => {
    const json = answers[new URL(url).host];
    if (json === undefined) throw new TypeError('fetch failed');
    return {
      status: 200,
      headers: { get: () => null },
      body: null,
      text: async () => '',
      json: async () => json,
    };
  };

  const resolve = async (host: string) => {
    if (host === 'unknown') throw new Error('no such host');
    return host;
  };

  it('asks one after the other until one answers', async () => {
    expect(await findEtcd({ fetch, resolve }, parseEndpoints('unknown:1,gone:1,odd:1,good:1'))).toEqual(
      FOUND,
    );
  });

  it('fails when nobody does', async () => {
    await expect(findEtcd({ fetch, resolve }, parseEndpoints('gone:1'))).rejects.toThrow(
      'no member of etcd answers',
    );
  });
});
