// The consumers' kernel mounts while a script is performed: what is done with them goes on
// record as it happens, and where the mode has none that is on record instead.

import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import type { Deployment } from './deployment.ts';
import type { Journal } from './journal.ts';
import { createMountClient, type MountClient } from './mount-client.ts';
import type { Observation } from './observation.ts';
import { presentNodes } from './topology.ts';

const BOOTS_WITHIN_MS = 60_000;

/** A volume in a consumer. */
export interface Mounted {
  readonly consumer: string;
  /** Its id. */
  readonly volume: string;
}

export interface KernelMounts {
  /** Boots what the consumer will need to mount, while other things are done. What goes wrong is told by `mount`. */
  warm(consumer: string): void;
  /**
   * Mounts it from that node, on record from then on; where that can't be had here it is recorded, once, and answers
   * with undefined.
   */
  mount(wanted: Mounted & { readonly server: string }): Promise<Observation | undefined>;
  /** Where it is mounted by what the consumer has said last; null: nowhere. Undefined where mounts can't be had. */
  serverOf(mounted: Mounted): string | null | undefined;
  end(): Promise<void>;
}

export function createKernelMounts(options: {
  readonly clock: Clock;
  readonly deployment: Pick<Deployment, 'prepareMounts' | 'consumer' | 'fetch' | 'topology'>;
  readonly journal: Pick<Journal, 'record'>;
}): KernelMounts {
  const { clock, deployment, journal } = options;
  const over = new AbortController();
  const consumers = new Map<string, { readonly client: MountClient; readonly told: Promise<void> }>();
  const servers = new Map<string, string | null>();
  const key = ({ consumer, volume }: Mounted): string => `${consumer} ${volume}`;

  /** Whatever ends the stream, what is missing then shows by what is expected of it. */
  const listen = async (consumer: string, client: MountClient): Promise<void> => {
    for await (const { number: _, ...change } of client.changes(over.signal)) {
      journal.record({ type: 'mount', consumer, ...change });
      if (change.did === 'opened') continue;
      servers.set(key({ consumer, volume: change.volume }), change.did === 'mounted' ? change.server : null);
    }
  };
  const newClient = (consumer: string): MountClient =>
    createMountClient({ fetch: deployment.fetch, url: () => deployment.consumer(consumer), consumer });
  const clientOf = (consumer: string): MountClient => {
    const known = consumers.get(consumer);
    if (known !== undefined) return known.client;
    const client = newClient(consumer);
    consumers.set(consumer, { client, told: listen(consumer, client).catch(() => undefined) });
    return client;
  };
  const ready = new Map<string, Promise<void>>();
  const readied = (consumer: string): Promise<void> => {
    const known = ready.get(consumer) ?? deployment.prepareMounts?.(consumer) ?? Promise.resolve();
    ready.set(consumer, known);
    return known;
  };
  const unavailable = ({ consumer, volume }: Mounted, error: string): undefined =>
    journal.record({ type: 'mount', consumer, volume, did: 'unavailable', server: null, error }) as undefined;

  return {
    warm: (consumer) => {
      if (deployment.prepareMounts === undefined) return;
      const boot = async (): Promise<void> => {
        await readied(consumer);
        await waitFor({
          clock,
          what: `${consumer} to boot what it mounts by`,
          timeoutMs: BOOTS_WITHIN_MS,
          signal: over.signal,
          // The consumer may be starting itself.
          probe: newClient(consumer).prepare,
        });
      };
      boot().catch(() => undefined);
    },
    mount: async ({ server, ...mounted }) => {
      const { consumer, volume } = mounted;
      if (deployment.prepareMounts === undefined)
        return unavailable(mounted, 'this mode has no kernel to mount by');
      try {
        await readied(consumer);
        const follow = presentNodes(deployment.topology).map(({ name }) => name);
        const { at, by } = await clientOf(consumer).mount({ volume, server, at: `/mnt/${volume}`, follow });
        servers.set(key(mounted), server);
        return { holds: true, seen: `mounted at ${at} by ${by}` };
      } catch (error) {
        if (!hasCode(error, 'unsupported')) return { holds: false, seen: RigError.from(error).message };
        return unavailable(mounted, error.message);
      }
    },
    serverOf: (mounted) => servers.get(key(mounted)),
    end: async () => {
      over.abort();
      await Promise.all([...consumers.values()].map(({ told }) => told));
    },
  };
}
