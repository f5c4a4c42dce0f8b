import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../src/base/random.ts';
import { joinFirst } from '../../../src/daemon/cluster.ts';
import { CLUSTER_KEY, VERSION_KEY, volumeKey } from '../../../src/kv/keys.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { ID } from '../model/volumes.ts';

const write = (kv: Kv) =>
  kv.transact({ compare: [], writes: [{ kind: 'put', key: volumeKey(ID), value: '{}' }] });

/** Joined; then etcd went away, which a call has seen, and came back as it is now. */
async function afterOutage(meanwhile: (raw: Kv) => Promise<unknown>) {
  const store = createMemoryStore({ clock: createManualClock() });
  const raw = store.connect();
  const kv = joinFirst({ kv: store.connect(), random: createSeededRandom(1) });
  await write(kv);
  store.setAvailable(false);
  await expect(write(kv)).rejects.toMatchObject({ code: 'unavailable' });
  store.setAvailable(true);
  await meanwhile(raw);
  return { kv, raw };
}

describe('a store that is joined first', () => {
  it('refuses an etcd of another version that came back in place of its own', async () => {
    const { kv, raw } = await afterOutage((etcd) =>
      etcd.transact({ compare: [], writes: [{ kind: 'put', key: VERSION_KEY, value: '2' }] }),
    );
    await expect(write(kv)).rejects.toMatchObject({ code: 'unsupported' });
    expect((await raw.get(volumeKey(ID))).kv?.version).toBe(1);
  });

  it('joins an etcd that came back empty, before it writes anything', async () => {
    const { kv, raw } = await afterOutage((etcd) =>
      etcd.transact({
        compare: [],
        writes: [VERSION_KEY, CLUSTER_KEY, volumeKey(ID)].map((key) => ({ kind: 'delete', key })),
      }),
    );
    await write(kv);
    const [identity, volume] = await Promise.all([raw.get(CLUSTER_KEY), raw.get(volumeKey(ID))]);
    expect(identity.kv?.modRevision).toBeLessThan(volume.kv?.modRevision ?? 0);
  });
});
