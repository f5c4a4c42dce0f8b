// The node's key: what it says, and when it is worth writing anew.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { createSerial } from '../../base/serial.ts';
import { bytesToGib } from '../../base/units.ts';
import { nodeKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import type { Session } from '../../kv/session.ts';
import type { DiskHealth, Node, NodeSpec } from '../../model/node.ts';
import { LONGEST_REASON } from '../../model/reason.ts';
import type { DiskSpace, Storage } from '../../storage/storage.ts';
import type { Remains } from './remains.ts';
import { ensureSpec, type NodeFacts } from './spec.ts';

export interface Registration {
  /** Writes the key on the session's lease, over whatever is there: a predecessor's key, whose lease nobody renews. */
  register(session: Session): Promise<void>;
  /** The key isn't this one's any more. */
  forget(): void;
  /**
   * Writes the key anew if free space, the disk's health, what remains on it, or the spec have changed enough.
   * While there is none: nothing.
   */
  publish(): Promise<void>;
  /**
   * To be called before the volume can be handed over: when it resolves, the key doesn't say that nothing remains here,
   * and won't before a comparison that begins later. Rejects with `unavailable` while the node isn't registered, and as
   * the store does.
   */
  announceLeaving(id: string): Promise<void>;
  /** Takes over a spec that was changed in etcd, and publishes. */
  takeOver(spec: NodeSpec): Promise<void>;
}

/** Of the disk: a smaller change of its free space is not worth a write. */
const NOTABLE_FRACTION = 0.01;

export function createRegistration(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly remains: Remains;
  readonly facts: NodeFacts;
}): Registration {
  const { kv, clock, log, storage, remains, facts } = options;
  const key = nodeKey(facts.node);
  const startedAt = new Date(clock.nowMs()).toISOString();
  let published: Published | undefined;

  const write = async (session: Session, spec: NodeSpec, disk: Disk): Promise<void> => {
    const node: Node = {
      name: facts.node,
      address: facts.address,
      labels: spec.labels,
      capacity: spec.capacity,
      available: bytesToGib(disk.space.availableBytes),
      roles: [...facts.roles],
      agent: facts.agentUrl,
      disk: disk.health,
      remains: remains.count(),
      virtual: facts.virtual,
      started_at: startedAt,
    };
    // Until it is answered nobody knows which of the two the store has.
    if (published !== undefined) published = { ...published, isCertain: false };
    for (let succeeded = false; !succeeded; ) {
      const found = (await kv.get(key)).kv;
      ({ succeeded } = await kv.transact({
        compare: [{ key, target: 'mod', equals: found?.modRevision ?? 0 }],
        writes: [{ kind: 'put', key, value: JSON.stringify(node), lease: session.leaseId }],
      }));
    }
    const before = published?.node.disk.state ?? 'ok';
    if (before !== disk.health.state) log.warn('disk.health', { before, ...disk.health });
    published = { session, spec, space: disk.space, node, isCertain: true };
  };

  const publish = async (): Promise<void> => {
    if (published?.session.isValid() !== true) return;
    const { session, spec, space, node } = published;
    const disk = await diskNow(storage, space);
    // The session may have ended while the disk was asked, and with it the registration.
    if (published?.session !== session) return;
    const change = Math.abs(bytesToGib(disk.space.availableBytes) - node.available);
    const isNews =
      !published.isCertain ||
      node.remains !== remains.count() ||
      change > NOTABLE_FRACTION * bytesToGib(disk.space.totalBytes) ||
      disk.health.state !== node.disk.state ||
      JSON.stringify(spec.labels) !== JSON.stringify(node.labels) ||
      spec.capacity !== node.capacity;
    if (isNews) await write(session, spec, disk);
  };

  // One at a time: of two writers the one that read earlier could write later.
  const inTurn = createSerial();
  return {
    register: (session) =>
      inTurn(async () => {
        const { spec, space } = await ensureSpec({ kv, storage, facts });
        // What was found before, others may have changed while this node was away.
        remains.forget();
        await write(session, spec, { space, health: await healthOf(storage) });
      }),
    forget: () => {
      published = undefined;
    },
    publish: () => inTurn(publish),
    announceLeaving: (id) =>
      inTurn(async () => {
        remains.leaves(id);
        if (!isTold(published)) {
          await publish().catch((cause: unknown) => {
            // The lease has gone, and the session hasn't heard of it yet.
            if (!hasCode(cause, 'not_found')) throw cause;
          });
        }
        if (!isTold(published)) throw new RigError('unavailable', `node ${facts.node} is not registered`);
      }),
    takeOver: (spec) =>
      inTurn(async () => {
        if (published === undefined) return;
        published = { ...published, spec };
        try {
          await publish();
        } catch (error) {
          // The next comparison publishes it.
          if (!hasCode(error, 'unavailable', 'timeout')) throw error;
        }
      }),
  };
}

interface Published {
  readonly session: Session;
  readonly spec: NodeSpec;
  readonly space: DiskSpace;
  readonly node: Node;
  /** False while, and after, a write is without an answer. */
  readonly isCertain: boolean;
}

/** The store has the key, and it doesn't say that nothing remains. */
function isTold(published: Published | undefined): boolean {
  return published?.session.isValid() === true && published.isCertain && published.node.remains !== 0;
}

interface Disk {
  readonly space: DiskSpace;
  readonly health: DiskHealth;
}

/** A disk that can't be asked for its space has as much of it as before. */
async function diskNow(storage: Storage, before: DiskSpace): Promise<Disk> {
  const [space, health] = await Promise.all([storage.space().catch(() => before), healthOf(storage)]);
  return { space, health };
}

async function healthOf(storage: Storage): Promise<DiskHealth> {
  try {
    return await storage.health();
  } catch (error) {
    return { state: 'failing', reason: (error as Error).message.slice(0, LONGEST_REASON) };
  }
}
