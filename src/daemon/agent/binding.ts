// Which cluster this disk belongs to. Until that is certain nothing is touched.

import type { Log } from '../../base/log.ts';
import { CLUSTER_KEY, ROOT } from '../../kv/keys.ts';
import type { Kv, ListResult } from '../../kv/kv.ts';
import type { Storage } from '../../storage/storage.ts';
import { identityIn, identityOf } from '../cluster.ts';

export interface Binding {
  /**
   * Lists everything, linearizably. Answers with the listing if it comes from
   * the cluster that the disk belongs to (a new, empty disk is bound to it
   * first), else with undefined, having logged why. Rejects as the ports do.
   */
  check(): Promise<ListResult | undefined>;
  /** Whether the cluster that answers right now is still the one that the last check found. One read. */
  confirm(): Promise<boolean>;
}

export function createBinding(options: {
  readonly kv: Kv;
  readonly storage: Storage;
  readonly log: Log;
}): Binding {
  const { kv, storage, log } = options;
  let confirmed: string | undefined;
  let complaint: string | undefined;
  let newestRevision = 0;
  let wentBack = false;

  const refuse = (event: string, fields: Readonly<Record<string, unknown>>): undefined => {
    const text = JSON.stringify([event, fields]);
    // Once, and not at every check for as long as it lasts.
    if (text !== complaint) log.error(event, fields);
    complaint = text;
    confirmed = undefined;
    return undefined;
  };

  const check = async (): Promise<ListResult | undefined> => {
    const bound = await storage.clusterId();
    const listed = await kv.list(ROOT);
    const identity = identityIn(listed);
    if (identity === undefined) return refuse('cluster.empty', { bound });
    if (bound !== null && bound !== identity) return refuse('cluster.changed', { bound, found: identity });
    // Linearizable reads never go back: this is a backup of the same cluster, and
    // what it lacks may be on this disk. It stays refused until a restart.
    wentBack ||= listed.revision < newestRevision;
    if (wentBack)
      return refuse('cluster.changed', { bound, newestRevision, reason: 'its revisions went back' });
    if (bound === null) {
      // Binding comes before the first create, so these are somebody else's.
      const found = await storage.list();
      if (found.length > 0) return refuse('disk.unaccounted', { subvolumes: found.length });
      await storage.bindCluster(identity);
      log.info('disk.bound', { cluster: identity });
    }
    newestRevision = listed.revision;
    confirmed = identity;
    complaint = undefined;
    return listed;
  };

  // One check at a time: of two at once on a new disk the slower one would find
  // what was created after the faster one, and take it for somebody else's.
  let last: Promise<unknown> = Promise.resolve();
  return {
    check: () => {
      const next = last.then(check, check);
      last = next.catch(() => undefined);
      return next;
    },
    confirm: async () => {
      const found = await kv.get(CLUSTER_KEY);
      return confirmed !== undefined && identityOf(found.clusterId, found.kv) === confirmed;
    },
  };
}
