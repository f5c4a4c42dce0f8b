import { describe, expect, it } from '@jest/globals';
import { judgeOrphans, type OrphanOptions } from '../../../../src/daemon/agent/orphans.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import type { KeyValue } from '../../../../src/kv/kv.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { ID, readyVolume, volumeOf } from '../../model/volumes.ts';

const stored = (value: string): KeyValue => ({
  key: volumeKey(ID),
  value,
  createRevision: 2,
  modRevision: 2,
  version: 1,
  lease: '0',
});
const holding = (volume: Volume) => [stored(JSON.stringify(volume))];
const judge = (fields: Partial<OrphanOptions>) =>
  judgeOrphans({
    self: 'a',
    kvs: [],
    onDisk: [ID],
    exported: [],
    spared: new Set(),
    suspects: new Map(),
    nowMs: 5000,
    intervalMs: 1000,
    ...fields,
  });

describe('orphans', () => {
  it('are suspected at the first listing and convicted at the second', () => {
    const first = judge({});
    expect(first).toEqual({ suspects: new Map([[ID, 5000]]), unexport: [], trash: [] });
    expect(judge({ suspects: first.suspects, nowMs: 6000 }).trash).toEqual([ID]);
  });

  it('are not convicted by a second listing that comes too soon', () => {
    const soon = judge({ suspects: new Map([[ID, 5000]]), nowMs: 5999 });
    expect(soon).toEqual({ suspects: new Map([[ID, 5000]]), unexport: [], trash: [] });
  });

  it('are forgotten when a listing accounts for them', () => {
    const accounted = judge({ kvs: holding(readyVolume()), suspects: new Map([[ID, 5000]]), nowMs: 9000 });
    expect(accounted).toEqual({ suspects: new Map(), unexport: [], trash: [] });
  });

  it('lose their exports at once when they are elsewhere, and only then', () => {
    expect(judge({ kvs: holding(readyVolume({ node: 'b' })), exported: [ID] }).unexport).toEqual([ID]);
    expect(judge({ exported: [ID] }).unexport).toEqual([]);
    expect(judge({ onDisk: [], exported: [ID], suspects: new Map([[ID, 0]]) }).trash).toEqual([ID]);
  });

  it('lose their exports also while they travel, and when a move accounts for their subvolume', () => {
    const suspects = new Map([[ID, 0]]);
    const unexported = { suspects: new Map(), unexport: [ID], trash: [] };
    const travelling = holding(readyVolume({ state: 'moving', node: 'b' }));
    expect(judge({ kvs: travelling, exported: [ID], suspects })).toEqual(unexported);
    const settled = holding(readyVolume({ node: 'b' }));
    expect(judge({ kvs: settled, exported: [ID], suspects, spared: new Set([ID]) })).toEqual(unexported);
  });

  it('include what was created for an assignment that was lost', () => {
    expect(judge({ kvs: holding(volumeOf()), suspects: new Map([[ID, 0]]) }).trash).toEqual([ID]);
  });

  it('are not what moves, is being deleted, or cannot be read', () => {
    const suspects = new Map([[ID, 0]]);
    for (const kvs of [
      holding(readyVolume({ state: 'moving', node: 'b' })),
      holding(readyVolume({ state: 'deleting' })),
      [stored('{"id":')],
    ]) {
      expect(judge({ kvs, suspects })).toEqual({ suspects: new Map(), unexport: [], trash: [] });
    }
  });
});
