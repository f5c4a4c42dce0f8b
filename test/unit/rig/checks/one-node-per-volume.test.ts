import { describe, expect, it } from '@jest/globals';
import { oneNodePerVolume } from '../../../../src/rig/checks/one-node-per-volume.ts';
import { createHistory, VOLUME_ID } from '../support/history.ts';
import { calmRun, withHistory, withVolume } from '../support/runs.ts';

const copy = { id: VOLUME_ID, quotaBytes: null, usedBytes: 0, files: {} };

describe('one-node-per-volume', () => {
  it('accepts a volume on one node', () => {
    expect(oneNodePerVolume(calmRun().history.run()).verdict).toBe('valid');
  });

  it('rejects a subvolume on two nodes', () => {
    const run = calmRun()
      .history.inventory('final', 'node1', { volumes: [copy] })
      .run();
    const verdict = oneNodePerVolume(run);
    expect(verdict).toMatchObject({ verdict: 'invalid', reason: expect.stringContaining('two nodes') });
    expect(verdict.counterExample?.at(-1)).toBe('etcd says: node2');
  });

  it('rejects an export on two nodes', () => {
    const run = calmRun()
      .history.inventory('final', 'node1', { exports: [{ id: VOLUME_ID, clients: [] }] })
      .run();
    expect(oneNodePerVolume(run).verdict).toBe('invalid');
  });

  it('rejects a ready volume that is written to another node', () => {
    const run = withVolume(calmRun().history.run(), 3, (volume) => ({ ...volume, node: 'node1' }));
    expect(oneNodePerVolume(run).reason).toMatch(/changed its node/);
  });

  it('knows nothing when a node that runs was not looked into', () => {
    const run = withHistory(calmRun().history.run(), (event) =>
      event.type === 'inventory' && event.node === 'node1' ? undefined : event,
    );
    expect(oneNodePerVolume(run)).toMatchObject({
      verdict: 'unknown',
      reason: expect.stringContaining('node1'),
    });
  });

  it('knows nothing when no node had a volume', () => {
    expect(oneNodePerVolume(createHistory().settles().run()).verdict).toBe('unknown');
  });
});
