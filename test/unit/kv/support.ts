// What the kv unit tests share: a store on virtual time, and a client that can be cut off.

import { RigError } from '../../../src/base/errors.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import type { Kv } from '../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { createManualClock } from '../../support/manual-clock.ts';

export function createWorld() {
  const clock = createManualClock();
  const store = createMemoryStore({ clock });
  return { clock, store, kv: store.connect(), random: createSeededRandom(1) };
}

export async function put(kv: Kv, key: string, value = 'v', lease = '0'): Promise<number> {
  const { revision } = await kv.transact({ compare: [], writes: [{ kind: 'put', key, value, lease }] });
  return revision;
}

export async function remove(kv: Kv, key: string): Promise<number> {
  const { revision } = await kv.transact({ compare: [], writes: [{ kind: 'delete', key }] });
  return revision;
}

/** A client behind a network that can be cut: its calls then fail, without the server noticing. */
export function createCuttable(kv: Kv): { kv: Kv; cut(isCut: boolean): void } {
  let isCut = false;
  const guard = async (): Promise<void> => {
    if (isCut) throw new RigError('unavailable', 'the network is cut', { definite: false });
  };
  return {
    cut: (value) => {
      isCut = value;
    },
    kv: {
      ...kv,
      get: (key) => guard().then(() => kv.get(key)),
      list: (prefix, options) => guard().then(() => kv.list(prefix, options)),
      transact: (transaction) => guard().then(() => kv.transact(transaction)),
      grantLease: (ttlSeconds) => guard().then(() => kv.grantLease(ttlSeconds)),
      keepLeaseAlive: (leaseId) => guard().then(() => kv.keepLeaseAlive(leaseId)),
      revokeLease: (leaseId) => guard().then(() => kv.revokeLease(leaseId)),
    },
  };
}
