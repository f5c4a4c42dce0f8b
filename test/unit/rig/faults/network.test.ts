import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../../src/base/random.ts';
import type { Arrivals, Link, Links, Path } from '../../../../src/rig/deployment.ts';
import { cut } from '../../../../src/rig/faults/cut.ts';
import { connects, flows, lossOf, lost, passes, takes } from '../../../../src/rig/faults/link-evidence.ts';
import { between, untouched } from '../../../../src/rig/faults/linked.ts';
import { partedBy } from '../../../../src/rig/faults/partition.ts';
import type { ClusterView } from '../../../../src/rig/faults/select.ts';

const names = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `n${index + 1}`);
const text = (paths: readonly Path[]): readonly string[] =>
  paths.map(({ from, to }) => `${from}>${to}`).toSorted();

describe('partitions', () => {
  const everyone = ['e', 'a', 'b', 'c'];

  it('isolate those chosen from all others and from each other', () => {
    expect(text(partedBy('isolate', ['a', 'b'], everyone))).toEqual(
      ['a>b', 'a>c', 'a>e', 'b>a', 'b>c', 'b>e', 'c>a', 'c>b', 'e>a', 'e>b'].toSorted(),
    );
  });

  it('part halves and leave each whole', () => {
    expect(text(partedBy('halves', ['a', 'e'], everyone))).toEqual(
      ['a>b', 'a>c', 'b>a', 'b>e', 'c>a', 'c>e', 'e>b', 'e>c'].toSorted(),
    );
  });

  it('leave only the bridge between two halves', () => {
    expect(text(partedBy('bridge', ['a'], everyone))).toEqual(['b>c', 'b>e', 'c>b', 'e>b']);
  });

  it.each([3, 4, 5, 6, 7, 8])('leave each of %i in a ring a majority, and no two the same', (count) => {
    const ring = names(count);
    const gone = new Set(text(partedBy('majorities-ring', ring, ring)));
    const reach = ring.map((one) => ring.filter((other) => !gone.has(`${one}>${other}`)));
    for (const reached of reach) expect(reached.length).toBeGreaterThan(count / 2);
    expect(new Set(reach.map((reached) => reached.join())).size).toBe(count);
    for (const path of gone) expect(gone).toContain(path.split('>').reverse().join('>'));
    expect(gone.size).toBeGreaterThan(0);
  });

  it('refuse a ring of two', () => {
    expect(() => partedBy('majorities-ring', ['a', 'b'], everyone)).toThrow('three members');
  });
});

describe('cuts', () => {
  const view: ClusterView = {
    nodes: ['a', 'b', 'c'],
    engines: ['a', 'b'],
    etcd: ['e'],
    consumers: ['k'],
    leader: 'a',
    etcdLeader: 'e',
  };
  const linksOf = (spec: Parameters<typeof cut.describe>[0]): readonly Link[] => {
    let set: readonly Link[] = [];
    const links = {
      set: async (_: string, given: readonly Link[]) => {
        set = given;
      },
    };
    const topology = { etcd: { members: 1 }, nodes: [], consumers: [] };
    const site = { deployment: { links, topology } };
    void cut.inject(site as never, { id: 'x', spec, members: [] });
    return set;
  };

  it('name those chosen once and for all', () => {
    const spec = { fault: 'cut', from: 'one', to: 'etcd-all' } as const;
    const resolved = cut.resolve?.(spec, view, createSeededRandom(3)) ?? spec;
    expect(resolved.to).toEqual(['e']);
    expect(resolved.from).toHaveLength(1);
    expect(cut.members(resolved, view, createSeededRandom(99))).toEqual([resolved.from[0], 'e']);
  });

  it('are of several, whatever names each', () => {
    const spec = { fault: 'cut', from: ['leader', 'b', 'etcd-all'], to: 'follower' } as const;
    expect(cut.resolve?.(spec, view, createSeededRandom(3))).toMatchObject({
      from: ['a', 'b', 'e'],
      to: ['b'],
    });
  });

  it('are refused where nobody is cut off from anybody', () => {
    const refusal = (from: string) => () =>
      cut.resolve?.({ fault: 'cut', from, to: ['a'] }, view, createSeededRandom(3));
    const message = "a can't be cut off from itself";
    expect(refusal('a')).toThrow(expect.objectContaining({ code: 'invalid', message }));
    // Which is on record as unavailable, and no end of the run.
    expect(refusal('leader')).toThrow(expect.objectContaining({ code: 'not_found', message }));
  });

  it('go one way or both, and leave nobody without itself', () => {
    expect(text(linksOf({ fault: 'cut', from: ['a', 'b'], to: ['b'], oneWay: true }))).toEqual(['a>b']);
    expect(text(linksOf({ fault: 'cut', from: ['a', 'b'], to: ['a', 'b'] }))).toEqual(['a>b', 'b>a']);
  });
});

describe('paths to look at', () => {
  const [drop, slow] = [{ does: 'drop' }, { does: 'delay', delayMs: 1, jitterMs: 0 }] as const;

  it('are those that no other fault touches, in either direction', () => {
    const own = between(['a'], ['a', 'b', 'c'], slow);
    const inForce = new Map([
      ['own', own],
      ['other', [{ from: 'a', to: 'b', effect: drop }]],
    ]);
    expect(text(untouched(own, 'own', inForce))).toEqual(['a>c', 'c>a']);
  });
});

describe('evidence of links', () => {
  const paths = [{ from: 'a', to: 'b' }];
  const seeing = (tookMs: readonly number[], sent = 5, spanMs = 10): Links =>
    ({
      send: async (): Promise<readonly Arrivals[]> => [{ from: 'a', to: 'b', sent, tookMs, spanMs }],
    }) as unknown as Links;
  const times = (count: number, ms: number): readonly number[] => Array.from({ length: count }, () => ms);

  it('lost is when nothing arrives, and passing when something does', async () => {
    expect(await lost(seeing([]), paths)).toMatchObject({ holds: true });
    expect(await lost(seeing([1]), paths)).toEqual({
      holds: false,
      seen: 'nothing arrives on 0 of 1 paths; a → b: 1 of 5 arrive',
    });
    expect(await passes(seeing([1]), paths)).toMatchObject({ holds: true });
    expect(await passes(seeing([]), paths)).toMatchObject({ holds: false });
  });

  it('a share of losses is near what was asked, and none where none was', async () => {
    expect(await lossOf(seeing(times(140, 1), 200), paths, 30)).toMatchObject({ holds: true });
    expect(await lossOf(seeing(times(200, 1), 200), paths, 30)).toMatchObject({ holds: false });
    expect(await lossOf(seeing(times(100, 1), 200), paths, 30)).toMatchObject({ holds: false });
    expect(await lossOf(seeing(times(200, 1), 200), paths, 0)).toMatchObject({ holds: true });
    expect(await lossOf(seeing(times(199, 1), 200), paths, 0)).toMatchObject({ holds: false });
    // Within four standard deviations of 5 %, and no evidence of anything.
    expect(await lossOf(seeing(times(200, 1), 200), paths, 5)).toMatchObject({ holds: false });
    expect(await lossOf(seeing(times(196, 1), 200), paths, 5)).toMatchObject({ holds: true });
  });

  it('a delay is the median, not the worst and not the best', async () => {
    expect(await takes(seeing([1, 105, 110]), paths, { atLeastMs: 100 })).toMatchObject({ holds: true });
    expect(await takes(seeing([1, 1, 300]), paths, { atLeastMs: 100 })).toMatchObject({ holds: false });
    expect(await takes(seeing([1, 1, 300]), paths, { lessThanMs: 50 })).toMatchObject({ holds: true });
    expect(await takes(seeing([]), paths, { lessThanMs: 50 })).toMatchObject({ holds: false });
  });

  it('a limit is seen in how fast a burst arrives', async () => {
    // Ten gaps of 1,400 bytes are 112 kbit: in 112 ms, 1,000 kbit/s.
    const [slow, fast] = [seeing(times(11, 1), 12, 112), seeing(times(11, 1), 12, 2)];
    expect(await flows(slow, paths, { kbitPerSecond: 1_000, limited: true })).toMatchObject({ holds: true });
    expect(await flows(fast, paths, { kbitPerSecond: 1_000, limited: true })).toMatchObject({ holds: false });
    expect(await flows(slow, paths, { kbitPerSecond: 1_000, limited: false })).toMatchObject({
      holds: false,
    });
    expect(await flows(fast, paths, { kbitPerSecond: 1_000, limited: false })).toMatchObject({ holds: true });
  });

  it('connections come to what was asked, and the first other one is told', async () => {
    const links = {
      connect: async () => [{ from: 'a', to: 'b', outcome: 'mute', tookMs: 600 }],
    } as unknown as Links;
    expect(await connects(links, paths, ['mute'])).toMatchObject({ holds: true });
    expect(await connects(links, paths, ['answered'])).toEqual({
      holds: false,
      seen: 'connections are answered on 0 of 1 paths; a → b: mute',
    });
  });
});
