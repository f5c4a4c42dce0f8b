// What clients of a volume notice while something is done to it.

import { expect, it } from '@jest/globals';
import { RigError } from '../../src/base/errors.ts';
import { clock, eventually } from '../support/cluster.ts';
import { onEveryStore } from './suite.ts';

const RULE = { host: '10.0.0.1', access: 'rw', squash: 'none' } as const;
const OTHER = { host: '10.0.0.2', access: 'ro', squash: 'none' } as const;

onEveryStore('a volume in use', ({ start }) => {
  it('applies exports within a second, and lets nobody else in any more', async () => {
    await using cluster = await start({ a: { reconcileIntervalMs: 60_000 } });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    const changedMs = clock.monotonicMs();
    expect((await node.call('PUT', `/volumes/${id}/exports`, { exports: [OTHER] })).status).toBe(202);
    const isOther = () => JSON.stringify(node.exporter.server.exports.get(id)) === JSON.stringify([OTHER]);
    await eventually('the exports', isOther);
    expect(clock.monotonicMs() - changedMs).toBeLessThan(1000);
  });

  it('serves a volume and makes others while it compresses it, and stops doing so when it ends', async () => {
    await using cluster = await start({ a: {} });
    const node = cluster.node('a');
    const { id } = await cluster.create('a', { exports: [RULE] });
    Object.assign(node.storage.disk.subvolumes.get(id) ?? {}, { usedBytes: 1000 });
    const { rewrite } = node.storage;
    const ended: string[] = [];
    node.storage.rewrite = ({ signal }) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => {
          ended.push(id);
          reject(new RigError('aborted', 'it was ended'));
        });
      });
    await node.call('POST', `/volumes/${id}/compress`, { algorithm: 'zlib' });
    await cluster.until(id, 'the compression', (volume) => volume?.state === 'rewriting');
    await cluster.logged('a', 'volume.rewriting');
    await node.call('PUT', `/volumes/${id}/exports`, { exports: [OTHER] });
    await eventually('the exports', () => node.exporter.server.exports.get(id)?.[0]?.host === OTHER.host);
    for (let count = 0; count < 10; count += 1) await cluster.create('a', { name: `other-${count}` });
    await node.stop('agent');
    expect(ended).toEqual([id]);
    expect((await cluster.volume(id))?.state).toBe('rewriting');
    node.storage.rewrite = rewrite;
    await node.start('agent');
    const { actual } = await cluster.until(id, 'its end', (volume) => volume?.state === 'ready');
    expect(actual).toMatchObject({
      compression: 'zlib',
      space: { before: 1000, after: 500 },
      exports: [OTHER],
    });
  });
});
