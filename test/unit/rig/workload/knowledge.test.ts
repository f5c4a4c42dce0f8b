import { describe, expect, it } from '@jest/globals';
import type { WorkCall } from '../../../../src/rig/workload/call.ts';
import { type Knowledge, learn, NOTHING, type WorkAnswer } from '../../../../src/rig/workload/knowledge.ts';

const body = (id: string, change: object = {}) => ({
  id,
  state: 'ready',
  node: 'node1',
  exports: [],
  ...change,
});

function told(
  known: Knowledge,
  call: { method: 'GET' | 'POST' | 'PUT' | 'DELETE'; path: string; body?: unknown },
  answer: { status?: number; body?: unknown; etag?: string },
): Knowledge {
  const http: WorkAnswer = { kind: 'http', status: undefined, body: undefined, ...answer };
  return learn(known, { call: { kind: 'http', node: 'node1', ...call }, answer: http, atMs: 100 });
}

const one = told(
  NOTHING,
  { method: 'GET', path: '/volumes/v1' },
  { status: 200, body: body('v1'), etag: '"5"' },
);

describe('what a client knows', () => {
  it('is the volume as it was shown last, with its tag', () => {
    expect(one.volumes.get('v1')).toMatchObject({ state: 'ready', node: 'node1', etag: '"5"' });
    const call = { method: 'PUT', path: '/volumes/v1' } as const;
    const next = told(one, call, { status: 202, body: body('v1', { state: 'pending' }), etag: '"6"' });
    expect(next.volumes.get('v1')).toMatchObject({ state: 'pending', etag: '"6"' });
  });

  it('is no tag once it was refused as stale, and no volume once it was not found', () => {
    const call = { method: 'PUT', path: '/volumes/v1' } as const;
    expect(told(one, call, { status: 412, body: { code: 'stale' } }).volumes.get('v1')).not.toHaveProperty(
      'etag',
    );
    expect(told(one, { method: 'GET', path: '/volumes/v1' }, { status: 404 }).volumes.size).toBe(0);
  });

  it('is what others have ordered, by a list; a whole one tells what is gone, too', () => {
    const list = (next: string | null) =>
      told(
        one,
        { method: 'GET', path: '/volumes?limit=9' },
        { status: 200, body: { volumes: [body('v2')], next } },
      );
    expect([...list(null).volumes.keys()]).toEqual(['v2']);
    expect([...list('v2').volumes.keys()]).toEqual(['v1', 'v2']);
    const again = { volumes: [body('v1', { state: 'moving' })], next: null };
    expect(
      told(one, { method: 'GET', path: '/volumes' }, { status: 200, body: again }).volumes.get('v1'),
    ).toMatchObject({ state: 'moving', etag: '"5"' });
  });

  it('is that a node drains, also where nobody knows whether it was told to', () => {
    const put = (draining: boolean, status: number | undefined, known = NOTHING, answer?: unknown) =>
      [
        ...told(
          known,
          { method: 'PUT', path: '/nodes/node2', body: { draining } },
          { ...(status !== undefined && { status }), body: answer },
        ).draining,
      ].join();
    const draining = { ...NOTHING, draining: new Set(['node2']) };
    expect(put(true, 202, NOTHING, { name: 'node2', draining: true })).toBe('node2');
    expect(put(true, undefined)).toBe('node2');
    expect(put(true, 503)).toBe('node2');
    expect(put(true, 409)).toBe('');
    expect(put(false, 202, draining, { name: 'node2', draining: false })).toBe('');
    expect(put(false, 304, draining)).toBe('');
    expect(put(false, undefined, draining)).toBe('node2');
  });

  it('is which node to leave alone for a while', () => {
    const call = { method: 'GET', path: '/volumes/v1' } as const;
    expect(told(NOTHING, call, {}).shunned.get('node1')).toBeGreaterThan(100);
    expect(told(NOTHING, call, { status: 503 }).shunned.has('node1')).toBe(true);
    expect(told(NOTHING, call, { status: 404 }).shunned.has('node1')).toBe(false);
  });

  it('is which of its files are there, once each', () => {
    const call: WorkCall = { kind: 'nfs-write', server: 'node1', volume: 'v1', file: 'f', bytes: 1 };
    const wrote = (known: Knowledge, outcome: 'ok' | 'unknown' | 'refused') =>
      learn(known, { call, answer: { kind: 'nfs', outcome }, atMs: 100 });
    const once = wrote(NOTHING, 'ok');
    expect(wrote(once, 'ok').files.get('v1')).toEqual(['f']);
    expect(wrote(NOTHING, 'unknown').files.size).toBe(0);
    expect(wrote(NOTHING, 'unknown').shunned.has('node1')).toBe(true);
    expect(wrote(NOTHING, 'refused')).toEqual(NOTHING);
  });
});
