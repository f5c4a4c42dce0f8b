import { describe, expect, it } from '@jest/globals';
import { conflicts, MOST_AT_ONCE } from '../../../../src/rig/chaos/conflicts.ts';
import type { FaultSpec } from '../../../../src/rig/faults/spec.ts';
import { parseTopology } from '../../../../src/rig/topology.ts';

const { nodes } = parseTopology({ nodes: [{ name: 'node1' }, { name: 'node2' }, { name: 'node3' }] }, 'test');
const place = { nodes, etcd: ['etcd1', 'etcd2', 'etcd3'] };

const kill = (on: string): FaultSpec => ({ fault: 'kill', on });
const isolate = (on: string): FaultSpec => ({ fault: 'partition', shape: 'isolate', on });
const slow = (on: string): FaultSpec => ({ fault: 'latency', on, delayMs: 100, jitterMs: 0 });

/** All from the tenth second to the twentieth. */
const together = (...faults: FaultSpec[]): readonly string[] =>
  conflicts(
    faults.map((fault, index) => ({ as: `${index}`, fault, atMs: 10_000, healMs: 20_000 })),
    place,
  );

describe('faults that overlap', () => {
  it('may hit different members, or the links and the disk of the same one', () => {
    expect(together(kill('node1'), kill('etcd1'))).toEqual([]);
    expect(together(kill('node1'), isolate('node2'))).toEqual([]);
    expect(together(isolate('node1'), slow('node2'))).toEqual([]);
    expect(together(isolate('node1'), { fault: 'disk-full', on: 'node1' })).toEqual([]);
  });

  it('may not hide one another', () => {
    expect(together(kill('node1'), { fault: 'pause', on: 'node1', role: 'agent' })).toHaveLength(1);
    expect(together(kill('node1'), isolate('node1'))).toHaveLength(1);
    expect(together(isolate('node1'), slow('node1'))).toHaveLength(1);
    expect(together(kill('node1'), { fault: 'cut', from: 'node2', to: 'node1' })).toHaveLength(1);
    const bridge: FaultSpec = { fault: 'partition', shape: 'bridge', on: 'node3' };
    expect(together(bridge, { fault: 'cut', from: 'node2', to: 'node1' })).toHaveLength(1);
    expect(together(bridge, slow('node2'))).toEqual([]);
    expect(
      together({ fault: 'disk-full', on: 'node1' }, { fault: 'clock-jump', on: 'node1', spanMs: 1 }),
    ).toHaveLength(1);
  });

  it('may not keep a fault of etcd or of the whole cluster from ending', () => {
    const loss: FaultSpec = { fault: 'etcd-data-loss', on: 'etcd1' };
    expect(together(loss, slow('node1'))).toHaveLength(1);
    const compaction: FaultSpec = { fault: 'etcd-compaction', everyMs: 100 };
    expect(together(compaction, slow('etcd1'))).toHaveLength(1);
    expect(together(compaction, loss)).toHaveLength(1);
    expect(together(compaction, { fault: 'rolling-restart' })).toHaveLength(1);
  });

  it('may take from a node that is away the history that it missed', () => {
    const compaction: FaultSpec = { fault: 'etcd-compaction', everyMs: 100 };
    expect(together(compaction, isolate('node1'))).toEqual([]);
    expect(together({ fault: 'pause', on: 'node1' }, compaction)).toEqual([]);
  });

  it('are not too many', () => {
    const many = ['node1', 'node2', 'node3', 'etcd1'].slice(0, MOST_AT_ONCE).map(kill);
    expect(together(...many)).toEqual([]);
    expect(together(...many, isolate('etcd2'))).not.toEqual([]);
  });

  it('leave a member time to come back', () => {
    const soon = (ms: number) =>
      conflicts(
        [
          { as: 'a', fault: kill('node1'), atMs: 0, healMs: 1_000 },
          { as: 'b', fault: isolate('node1'), atMs: 1_000 + ms, healMs: 20_000 },
        ],
        place,
      );
    expect(soon(1_000)).toHaveLength(1);
    expect(soon(10_000)).toEqual([]);
  });
});
