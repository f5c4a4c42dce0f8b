// A volume's data survives the death of its node: the same test in simulated time, in a
// fraction of a second, and on real containers.

import { expect, it } from '@jest/globals';
import { startCluster, withCluster } from 'cobalt-rig';
import { describeEachMode } from 'cobalt-rig/jest';

const topology = {
  nodes: [{ name: 'node1' }, { name: 'node2' }],
  consumers: ['consumer1'],
};

await describeEachMode(['simulated', 'containers'], 'a volume', (mode) => {
  it('has its data back when its node is', async () => {
    await using cluster = await startCluster({ topology, mode });
    const exports = [{ consumer: 'consumer1', access: 'rw' }] as const;
    const volume = await cluster.api().createVolume({ name: 'first', sizeGib: 1, exports });
    await expect(volume).toBecomeReady({ withinMs: 10_000 });
    const { node } = await volume.read();
    const place = { volume: volume.id, file: 'precious' };
    const consumer = cluster.consumer('consumer1');
    // The consumer may be let in a moment after the volume says so.
    const written = await cluster.eventually(() => consumer.write(place));

    await cluster.kill(String(node));
    await expect(cluster).toBecomeReady({ withinMs: 15_000 });
    await cluster.start(String(node));
    await expect(cluster).toBecomeReady({ withinMs: 30_000 });

    const read = await cluster.eventually(() => consumer.read(place), { withinMs: 30_000 });
    expect(read).toEqual(written);
  });
});

it('is ready although its node-to-be is cut off, whatever the seed', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
    await withCluster({ mode: 'simulated', seed }, async (cluster) => {
      await using _cut = await cluster.partition('node2');
      const volume = await cluster.api('node1').createVolume({ name: 'second', sizeGib: 1 });
      await expect(volume).toBecomeReady({ withinMs: 20_000 });
    });
  }
});
