// What ends a role, and what the supervisor is to make of it.

import { expect, it } from '@jest/globals';
import { NO_FAILPOINTS } from '../../../src/base/failpoints.ts';
import { createLog } from '../../../src/base/log.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { joinCluster } from '../../../src/daemon/cluster.ts';
import { observeReachability } from '../../../src/daemon/reachability.ts';
import { runEngine } from '../../../src/daemon/roles.ts';
import { readSettings } from '../../../src/daemon/settings.ts';
import { VERSION_KEY } from '../../../src/kv/keys.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { createMemoryWorld } from '../../../src/network/memory.ts';
import { createManualClock } from '../../support/manual-clock.ts';

it('an engine that has joined is never refused: its cluster may become its own again', async () => {
  const clock = createManualClock();
  const store = createMemoryStore({ clock });
  const log = createLog({ write: () => {}, nowMs: clock.nowMs });
  const random = createSeededRandom(1);
  const raw = store.connect();
  await joinCluster({ kv: raw, random });
  const network = createMemoryWorld({ clock }).connect('a');
  const running = runEngine(
    {
      clock,
      random,
      log,
      kv: observeReachability(store.connect(), log),
      node: 'a',
      failpoints: NO_FAILPOINTS,
      credentials: { tls: null, apiToken: null, etcd: {} },
      openNetwork: async () => network,
      openCallbacks: async () => network,
    },
    readSettings({ COBALT_NODE_NAME: 'a', COBALT_ETCD_ENDPOINTS: 'http://etcd:2379' }),
    new AbortController().signal,
  );
  const ended = expect(running).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the cluster has version 2'),
    next: expect.stringContaining('version'),
  });
  await clock.advance(60_000);
  store.setAvailable(false);
  await clock.advance(10_000);
  store.setAvailable(true);
  await raw.transact({ compare: [], writes: [{ kind: 'put', key: VERSION_KEY, value: '2' }] });
  await clock.advance(30_000);
  await ended;
});
