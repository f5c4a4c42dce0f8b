// Watching over the node's key, which somebody may delete although its lease lives.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { followPrefix } from '../../kv/follow.ts';
import { nodeKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import type { Session } from '../../kv/session.ts';
import type { NodeFacts } from './spec.ts';

/** Resolves when the signal fires. Registers anew when somebody has deleted the key. */
export async function keepRegistered(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly facts: NodeFacts;
  readonly session: Session;
  readonly signal: AbortSignal;
  readonly register: () => Promise<void>;
}): Promise<void> {
  const { log, session } = options;
  const key = nodeKey(options.facts.node);
  const again = async (why: string): Promise<void> => {
    if (!session.isValid()) return;
    log.warn('agent.re-registering', { lease: session.leaseId, why });
    await options.register();
  };
  await followPrefix({
    ...options,
    prefix: key,
    log: undefined,
    onSnapshot: async ({ kvs }) => {
      if (!kvs.some((kv) => kv.key === key)) await again('its key was missing');
    },
    onBatch: async ({ events }) => {
      const last = events.filter((event) => (event.kind === 'put' ? event.kv.key : event.key) === key).at(-1);
      if (last?.kind === 'delete') await again('its key was deleted');
      // Two daemons on two machines under one name would fight over the key for ever.
      if (last?.kind === 'put' && last.kv.lease !== session.leaseId) {
        log.error('agent.usurped', { lease: session.leaseId, by: last.kv.lease });
      }
    },
  });
}
