import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../src/base/random.ts';
import { newVolumeBody } from '../../../../src/daemon/api/schemas.ts';
import type { WorkCall } from '../../../../src/rig/workload/call.ts';
import { clientOf, closing } from '../../../../src/rig/workload/client.ts';
import { KINDS, type Outlook } from '../../../../src/rig/workload/kinds.ts';
import { type KnownVolume, NOTHING } from '../../../../src/rig/workload/knowledge.ts';
import type { Work, Workload } from '../../../../src/rig/workload/spec.ts';

const workload: Workload = {
  clients: 1,
  ratePerSecond: 1,
  mix: { create: 1, get: 1 },
  volumes: { most: 3, sizesGib: [1] },
  fileBytes: [100],
  conditionalPercent: 50,
  constrainedPercent: 10,
  leastPercent: 50,
};

const READY = 'v00000000000000a2';
const OWN = '10.0.0.11';
const volume = (id: string, change: Partial<KnownVolume> = {}): KnownVolume => ({
  id,
  state: 'ready',
  node: 'node1',
  exports: [{ host: OWN, access: 'rw' }],
  etag: '"1"',
  ...change,
});

function outlook(volumes: readonly KnownVolume[], change: Partial<Outlook> = {}): Outlook {
  return {
    workload,
    known: { ...NOTHING, volumes: new Map(volumes.map((one) => [one.id, one])) },
    client: 'work 1',
    nowMs: 1_000,
    nodes: ['node1', 'node2', 'node3'],
    labels: [{ zone: 'a' }],
    consumers: [OWN],
    own: OWN,
    serverOf: ({ node }) => node,
    ...change,
  };
}

/** What a hundred draws come to; those that found nothing to do left out. */
function draws(work: Work, seen: Outlook): readonly WorkCall[] {
  const random = createSeededRandom(3);
  return Array.from({ length: 100 }, () => KINDS[work](seen, random)).filter((call) => call !== undefined);
}

describe('the kinds of work', () => {
  it('order no more volumes than the client may know of, and clones of what is ready', () => {
    const two = [volume('v00000000000000a1', { state: 'pending' }), volume(READY)];
    expect(draws('create', outlook(two))).toHaveLength(100);
    expect(draws('create', outlook([...two, volume('v3')]))).toEqual([]);
    const clones = draws('clone', outlook(two));
    expect(clones).toHaveLength(100);
    for (const call of [...clones, ...draws('create', outlook([]))])
      expect(newVolumeBody.safeParse('body' in call ? call.body : undefined).success).toBe(true);
    for (const call of clones) expect(call).toMatchObject({ body: { id: READY } });
  });

  it('are done on what the client knows, now and then on condition of what it saw', () => {
    for (const work of ['resize', 'reexport', 'move', 'defragment', 'compress', 'remove'] as const) {
      expect(draws(work, outlook([]))).toEqual([]);
      const all = draws(work, outlook([volume('v1')]));
      expect(all).toHaveLength(100);
      const conditional = all.filter((call) => 'ifMatch' in call && call.ifMatch === '"1"');
      expect(conditional.length).toBeGreaterThan(20);
      expect(conditional.length).toBeLessThan(80);
    }
  });

  it('write new files, and as often as is asked for another content to one of their own', () => {
    const files = new Map([['v1', ['mine']]]);
    const written = (overwritePercent?: number) => {
      const seen = outlook([volume('v1')]);
      const all = draws('write', {
        ...seen,
        workload: { ...workload, ...(overwritePercent !== undefined && { overwritePercent }) },
        known: { ...seen.known, files },
      });
      return all.filter((call) => 'file' in call && call.file === 'mine').length;
    };
    expect([written(), written(0), written(100)]).toEqual([0, 0, 100]);
    expect(written(30)).toBeGreaterThan(15);
    expect(written(30)).toBeLessThan(45);
    expect(
      draws('write', outlook([volume('v1')], { workload: { ...workload, overwritePercent: 100 } })),
    ).toHaveLength(100);
  });

  it('leave alone who does not answer, unless nobody does', () => {
    const known = {
      ...outlook([volume('v1')]).known,
      shunned: new Map([
        ['node1', 2_000],
        ['node2', 999],
      ]),
    };
    const asked = new Set(
      draws('get', outlook([], { known })).map((call) => ('node' in call ? call.node : '')),
    );
    expect([...asked].sort()).toEqual(['node2', 'node3']);
    expect(draws('write', outlook([], { known }))).toEqual([]);
    expect(draws('get', outlook([], { known, nodes: ['node1'] }))).toHaveLength(100);
  });

  it('write where the consumer may and has it mounted, and read what was written', () => {
    const seen = outlook([
      volume('v1'),
      volume('v2', { exports: [{ host: OWN, access: 'ro' }] }),
      volume('v3', { exports: [] }),
      volume('v4', { node: null }),
    ]);
    expect(new Set(draws('write', seen).map((call) => 'volume' in call && call.volume))).toEqual(
      new Set(['v1']),
    );
    expect(draws('read', seen)).toEqual([]);
    const files = new Map([
      ['v2', ['f']],
      ['v3', ['g']],
    ]);
    for (const call of draws('read', { ...seen, known: { ...seen.known, files } }))
      expect(call).toMatchObject({ kind: 'nfs-read', volume: 'v2', file: 'f', server: 'node1' });
    expect(draws('write', { ...seen, serverOf: () => null })).toEqual([]);
  });

  it('drain one node at a time, of three at least', () => {
    const draining = outlook([], { known: { ...NOTHING, draining: new Set(['node2']) } });
    expect(draws('drain', outlook([]))).toHaveLength(100);
    expect(draws('drain', outlook([], { nodes: ['node1', 'node2'] }))).toEqual([]);
    expect(draws('drain', draining)).toEqual([]);
    expect(draws('undrain', outlook([]))).toEqual([]);
    expect(draws('undrain', draining)[0]).toMatchObject({ path: '/nodes/node2', body: { draining: false } });
  });
});

describe('a client', () => {
  it('begins by ordering a volume', () => {
    const next = clientOf({ ...workload, mix: { create: 1, list: 1_000 } })(
      outlook([]),
      createSeededRandom(1),
    );
    expect(next).toMatchObject({ call: { method: 'POST', path: '/volumes' } });
  });

  it('ends every drain that it knows of', () => {
    const random = createSeededRandom(1);
    expect(closing(outlook([]), random)).toBe('done');
    const draining = outlook([], { known: { ...NOTHING, draining: new Set(['node2']) } });
    expect(closing(draining, random)).toMatchObject({ call: { path: '/nodes/node2' } });
  });
});
