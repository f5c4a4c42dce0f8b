// The simulated etcd as its operator handles it (rig/deployment.ts, Store).

import { RigError } from '../base/errors.ts';
import type { Kv } from '../kv/kv.ts';
import type { Store } from '../rig/deployment.ts';
import type { World } from './world.ts';

/** A command in a container takes about so long. */
const COMMAND_MS = 100;

export function createSimulatedStore({ etcd, rig }: World): Store {
  const { store, members } = etcd;
  const kv = store.connect();
  const names = [...members.keys()];
  /** By a member that has a quorum. */
  const ask = async <T>(what: string, effect: (kv: Kv) => Promise<T>): Promise<T> => {
    await rig.clock.sleep(COMMAND_MS);
    if (names.some(etcd.serves)) return effect(kv);
    throw new RigError('unavailable', `etcd doesn't ${what}: no member has a leader`);
  };
  return {
    read: (key) =>
      ask('read', async () => {
        const { kv: found } = await kv.get(key);
        if (found === undefined) return undefined;
        const lease = found.lease === '0' ? undefined : BigInt(found.lease).toString(16);
        return { createRevision: found.createRevision, lease };
      }),
    lives: (lease) => ask('list leases', async () => (await kv.listLeases()).includes(decimal(lease))),
    revoke: (lease) =>
      ask('revoke', async () => {
        await kv.revokeLease(decimal(lease)).catch((error: unknown) => ignore(error, 'not_found'));
      }),
    compact: (revision) =>
      ask('compact', async () => {
        try {
          store.compact(revision);
        } catch (error) {
          ignore(error, 'compacted');
        }
      }),
    isCompacted: (revision) =>
      ask('read', async () => {
        try {
          await kv.list('/', { revision });
          return false;
        } catch (error) {
          ignore(error, 'compacted');
          return true;
        }
      }),
    // Of a store in memory there is nothing to defragment.
    defragment: () => rig.clock.sleep(COMMAND_MS),
    members: () =>
      ask('list members', async () => {
        const joined = [...members.values()].filter(
          ({ incarnation, state }) => incarnation > 0 && state !== 'created',
        );
        return new Map(joined.map(({ name, id }) => [name, id]));
      }),
    ailment: async (member) => {
      await rig.clock.sleep(COMMAND_MS);
      const state = members.get(member)?.state;
      if (state !== 'running') throw new RigError('conflict', `${member} is ${state}`);
      return etcd.serves(member) ? undefined : 'context deadline exceeded';
    },
    leads: async (member) => {
      await rig.clock.sleep(COMMAND_MS);
      return etcd.leader() === member;
    },
    lose: async (member) => etcd.lose(member),
    readmit: () => ask('admit', async () => undefined),
  };
}

const decimal = (lease: string): string => BigInt(`0x${lease}`).toString();

function ignore(error: unknown, code: RigError['code']): void {
  if (!(error instanceof RigError) || error.code !== code) throw error;
}
