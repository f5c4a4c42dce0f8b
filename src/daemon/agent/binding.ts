// Which cluster, and which node of it, this disk belongs to. Until that is
// certain nothing is touched.
//
// Disk and etcd witness each other by marks, which are counted. A mark is put
// into etcd first (disks/<node>) and then written on the disk, so that etcd's
// is never the older one, unless etcd was set up anew or restored from a backup
// that is older than the mark. Such a store is refused, however many revisions
// it has made since. A mark is renewed
//
// - before a subvolume is created or trashed: no store that lacks what led to
//   this can convict the subvolume later;
// - when a volume of the node has changed since the last one.
//
// Where the loss that a backup means is accepted, the operator sets `mark` and
// `revision` in the disk's binding to 0 (for BTRFS <root>/.cobalt/binding.json).

import { RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { hex, type Random } from '../../base/random.ts';
import { CLUSTER_KEY, diskKey, ROOT, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { Kv, ListResult } from '../../kv/kv.ts';
import type { DiskBinding, Storage } from '../../storage/storage.ts';
import { identityIn, identityOf } from '../cluster.ts';
import { formatMark, markOf, mismatch, type Refusal } from './marks.ts';
import { ownerOf } from './orphans.ts';

export interface Binding {
  /**
   * Lists everything, linearizably. Answers with the listing if it comes from
   * the cluster that the disk belongs to (a new, empty disk is bound to it
   * first), else with undefined, having logged why. Rejects as the ports do.
   */
  check(): Promise<ListResult | undefined>;
  /** Whether the cluster that answers right now is still the one that the last check found. One read. */
  confirm(): Promise<boolean>;
  /**
   * Resolves when disk and etcd share a mark that is newer than the revision.
   * Rejects as the ports do, and with `conflict` when this isn't our cluster any more.
   */
  witness(revision: number): Promise<void>;
}

export function createBinding(options: {
  readonly kv: Kv;
  readonly random: Random;
  readonly storage: Storage;
  readonly log: Log;
  readonly node: string;
}): Binding {
  const { kv, random, storage, log, node } = options;
  const key = diskKey(node);
  let confirmed: string | undefined;
  let complaint: string | undefined;
  let newestRevision = 0;
  let wentBack = false;
  /** Everything up to here is older than the mark; 0 while that isn't known. */
  let witnessedRevision = 0;

  const refuse = ({ event, reason }: Refusal, fields: Readonly<Record<string, unknown>>): undefined => {
    const text = JSON.stringify([event, reason, fields]);
    // Once, and not at every check for as long as it lasts.
    if (text !== complaint) log.error(event, { reason, ...fields });
    complaint = text;
    confirmed = undefined;
    return undefined;
  };

  const bindNew = async (cluster: string, revision: number): Promise<DiskBinding | Refusal> => {
    // Binding comes before the first create, so these are somebody else's.
    const found = await storage.list();
    if (found.length > 0)
      return { event: 'disk.unaccounted', reason: `an unbound disk holds ${found.length} subvolumes` };
    const bound = { cluster, node, disk: hex(random, 32), mark: 0, revision };
    await storage.bind(bound);
    log.info('disk.bound', { cluster, disk: bound.disk });
    return bound;
  };

  const check = async (): Promise<ListResult | undefined> => {
    const found = await storage.binding();
    const listed = await kv.list(ROOT);
    const { revision } = listed;
    const identity = identityIn(listed);
    // Linearizable reads never go back: what this store lacks may be on this
    // disk. It stays refused until a restart, after which the marks tell.
    wentBack ||= identity !== undefined && revision < newestRevision;
    if (identity === undefined)
      return refuse({ event: 'cluster.empty', reason: 'nobody has joined it' }, { found });
    const bound = found ?? (await bindNew(identity, revision));
    if ('event' in bound) return refuse(bound, {});
    const stored = listed.kvs.find((kv) => kv.key === key);
    const refusal = mismatch(bound, { node, identity, revision, stored, wentBack });
    if (refusal !== undefined) return refuse(refusal, { bound, cluster: identity });
    newestRevision = revision;
    confirmed = identity;
    complaint = undefined;
    const changed = listed.kvs
      .filter((kv) => kv.key.startsWith(VOLUMES_PREFIX) && ownerOf(kv, node) === 'self')
      .reduce((newest, { modRevision }) => Math.max(newest, modRevision), 0);
    if (changed > (stored?.modRevision ?? 0)) await renew();
    return listed;
  };

  const confirm = async (): Promise<boolean> => {
    const found = await kv.get(CLUSTER_KEY);
    const isSame = confirmed !== undefined && identityOf(found.clusterId, found.kv) === confirmed;
    return isSame && found.revision >= newestRevision;
  };

  const renew = async (): Promise<void> => {
    const bound = await storage.binding();
    const [isSame, { kv: stored, revision }] = await Promise.all([confirm(), kv.get(key)]);
    const strange = new RigError('conflict', 'etcd does not hold the cluster that this disk belongs to');
    if (bound === null || !isSame) throw strange;
    if (mismatch(bound, { node, identity: bound.cluster, revision, stored, wentBack }) !== undefined)
      throw strange;
    const mark = Math.max(bound.mark, markOf(bound, stored)) + 1;
    const result = await kv.transact({
      compare: [{ key, target: 'mod', equals: stored?.modRevision ?? 0 }],
      writes: [{ kind: 'put', key, value: formatMark({ disk: bound.disk, mark }) }],
    });
    if (!result.succeeded)
      throw new RigError('conflict', `somebody else wrote ${key}: two agents of one name?`);
    await storage.bind({ ...bound, mark, revision: result.revision });
    witnessedRevision = result.revision;
  };

  // One at a time: of two checks at once on a new disk the slower one would find
  // what was created after the faster one, and take it for somebody else's.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work, work);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    check: () => inTurn(check),
    confirm,
    witness: async (revision) => {
      // Many that wait for one mark are content with the first that comes.
      if (witnessedRevision > revision) return;
      await inTurn(async () => {
        if (witnessedRevision <= revision) await renew();
      });
    },
  };
}
