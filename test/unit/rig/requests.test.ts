import { describe, expect, it } from '@jest/globals';
import { tellsReason } from '../../../src/rig/reasons.ts';
import { orderedBy, requestOf } from '../../../src/rig/requests.ts';
import type { ApiCall } from '../../../src/rig/scenario.ts';

const meanings = {
  idOf: (volume: string) => `id-of-${volume}`,
  address: async (consumer: string) => `address-of-${consumer}`,
};

describe('a call of a scenario', () => {
  it.each<[ApiCall, object]>([
    [
      { create: 'a', sizeGib: 1, exports: [{ consumer: 'c', access: 'ro' }] },
      {
        method: 'POST',
        path: '/volumes',
        body: {
          name: 'a',
          meta: {},
          requested: { reserved_size: 1, constraints: {} },
          exports: [{ host: 'address-of-c', access: 'ro' }],
        },
      },
    ],
    [
      { clone: 'b', of: 'a', sizeGib: 2 },
      {
        method: 'POST',
        path: '/volumes',
        body: {
          name: 'b',
          meta: {},
          requested: { reserved_size: 2, constraints: {} },
          exports: [],
          id: 'id-of-a',
        },
      },
    ],
    [{ move: 'a' }, { method: 'POST', path: '/volumes/id-of-a/move', body: {} }],
    [
      { move: 'a', to: 'node2' },
      { method: 'POST', path: '/volumes/id-of-a/move', body: { node: 'node2' } },
    ],
    [{ defragment: 'a' }, { method: 'POST', path: '/volumes/id-of-a/defragment', body: {} }],
    [
      { compress: 'a', algorithm: 'lzo' },
      { method: 'POST', path: '/volumes/id-of-a/compress', body: { algorithm: 'lzo' } },
    ],
    [{ remove: 'a' }, { method: 'DELETE', path: '/volumes/id-of-a' }],
    [{ drain: 'node1' }, { method: 'PUT', path: '/nodes/node1', body: { draining: true } }],
    [{ undrain: 'node1' }, { method: 'PUT', path: '/nodes/node1', body: { draining: false } }],
  ])('%j is a request', async (call, request) => {
    expect(await requestOf(call, meanings)).toEqual(request);
  });

  it('names the volume that it orders', () => {
    expect(orderedBy({ create: 'a', sizeGib: 1 })).toBe('a');
    expect(orderedBy({ clone: 'b', of: 'a', sizeGib: 1 })).toBe('b');
    expect(orderedBy({ remove: 'a' })).toBeUndefined();
  });
});

describe('the body of a refusal', () => {
  const used = { usedBytes: { least: 10, most: 20 } };
  const clones = { clones: ['b', 'c'] };

  it.each([
    [used, { error: { used_bytes: 15 } }, true],
    [used, { error: { used_bytes: 21 } }, false],
    [used, { error: { used_bytes: '15' } }, false],
    [used, { error: { message: '15 bytes are in use' } }, false],
    [clones, { error: { volumes: ['id-of-c', 'id-of-b'] } }, true],
    [clones, { error: { volumes: ['id-of-b'] } }, false],
    [clones, { error: { volumes: ['id-of-b', 'id-of-d'] } }, false],
    [clones, 'no JSON', false],
    [used, null, false],
  ])('tells %j: %j, %s', (reason, body, tells) => {
    expect(tellsReason(body, reason, meanings)).toBe(tells);
  });
});
