// Which cluster, and which node of it, this disk belongs to. Until that is
// certain nothing is touched.
//
// Disk and etcd witness each other by marks, which are counted. A mark is put
// into etcd first (disks/<node>) and then written on the disk, so that etcd's
// is never the older one, unless etcd was set up anew or restored from a backup
// that is older than the mark. Such a store is refused, however many revisions
// it has made since. A mark is renewed
//
// - before a client is let into a subvolume that was created, and before one is trashed: no store that lacks what
//   led to this can convict the subvolume later;
// - before a volume is handed over: a store of before that must not have it exported here again; of a store from
//   between that mark and the handover, what is written with it (`leaving`) is the warning;
// - when a volume of the node has changed since the last one.
//
// Where the loss that a backup means is accepted, the operator sets `mark` and
// `revision` in the disk's binding to 0 (for BTRFS <root>/.cobalt/binding.json).

import { hasCode, RigError } from '../../base/errors.ts';
import type { Failpoints } from '../../base/failpoints.ts';
import type { Log } from '../../base/log.ts';
import { hex, type Random } from '../../base/random.ts';
import { createSerial } from '../../base/serial.ts';
import { CLUSTER_KEY, diskKey, nameIn, ROOT, VERSION_KEY, VOLUMES_PREFIX } from '../../kv/keys.ts';
import type { Kv, ListResult } from '../../kv/kv.ts';
import { at, under } from '../../kv/listing.ts';
import type { DiskBinding, Storage } from '../../storage/storage.ts';
import { identityIn, identityOf, requireVersion } from '../cluster.ts';
import { formatMark, markOf, mismatch, type Refusal } from './marks.ts';
import { ownerOf } from './orphans.ts';

export interface Binding {
  /**
   * Lists everything, linearizably. Answers with the listing if it comes from
   * the cluster that the disk belongs to (a new, empty disk is bound to it
   * first), else with undefined, having logged why. Rejects as the ports do, and
   * with `unsupported` when the first store that is met has another version.
   */
  check(): Promise<ListResult | undefined>;
  /** Fires when a check finds that this isn't our cluster (any more); another one, after a check that finds it again. */
  refused(): AbortSignal;
  /** Whether the cluster that answers right now is still the one that the last check found. One read. */
  confirm(): Promise<boolean>;
  /**
   * Resolves when disk and etcd share a mark that is newer than the revision, or, of an infinite one, than this call.
   * Rejects as the ports do, and with `conflict` when this isn't our cluster any more.
   */
  witness(revision: number): Promise<void>;
  /** Where the volume may have been handed over to, for all that this disk knows; undefined: it is still here. */
  leaving(id: string): string | undefined;
  /** To be called before the volume can be handed over. Resolves when that is on the disk, with a mark of its own. */
  leave(id: string, to: string): Promise<void>;
  /** It was. Resolves when disk and etcd share a mark that is newer than this. */
  left(id: string): Promise<void>;
  /** It is certain that it wasn't. At once for this process; resolves when it is on the disk, too. */
  stay(id: string): Promise<void>;
}

export function createBinding(options: {
  readonly kv: Kv;
  readonly random: Random;
  readonly storage: Storage;
  readonly log: Log;
  readonly failpoints: Failpoints;
  readonly node: string;
}): Binding {
  const { kv, random, storage, log, failpoints, node } = options;
  const key = diskKey(node);
  let confirmed: string | undefined;
  let complaint: string | undefined;
  let strange = new AbortController();
  let newestRevision = 0;
  let wentBack = false;
  /** Everything up to here is older than the mark; 0 while that isn't known. */
  let witnessedRevision = 0;
  /** As on the disk, once that has been read; ahead of it while `stay` writes. */
  let leaving: Map<string, string> | undefined;
  const noted = (gone: readonly string[] = []): Pick<DiskBinding, 'leaving'> => {
    const left = [...(leaving ?? [])].filter(([id]) => !gone.includes(id));
    // A daemon of before there were warnings doesn't know the field, and can do without only where there are none.
    return { leaving: left.length === 0 ? undefined : Object.fromEntries(left) };
  };

  const refuse = ({ event, reason }: Refusal, fields: Readonly<Record<string, unknown>>): undefined => {
    const text = JSON.stringify([event, reason, fields]);
    // Once, and not at every check for as long as it lasts.
    if (text !== complaint) log.error(event, { reason, ...fields });
    complaint = text;
    confirmed = undefined;
    strange.abort();
    return undefined;
  };

  /** One that has become of another version since is refused, and nothing else: our own may come back in its place. */
  const listAll = async (): Promise<ListResult | undefined> => {
    try {
      const listed = await kv.list(ROOT);
      requireVersion(at(listed.kvs, VERSION_KEY));
      return listed;
    } catch (error) {
      if (newestRevision === 0 || !hasCode(error, 'unsupported')) throw error;
      return refuse({ event: 'cluster.changed', reason: error.message }, {});
    }
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
    const listed = await listAll();
    if (listed === undefined) return undefined;
    const { revision } = listed;
    const identity = identityIn(listed);
    // Linearizable reads never go back: what this store lacks may be on this
    // disk. It stays refused until a restart, after which the marks tell.
    wentBack ||= identity !== undefined && revision < newestRevision;
    if (identity === undefined)
      return refuse({ event: 'cluster.empty', reason: 'nobody has joined it' }, { found });
    const bound = found ?? (await bindNew(identity, revision));
    if ('event' in bound) return refuse(bound, {});
    const stored = at(listed.kvs, key);
    const refusal = mismatch(bound, { node, identity, revision, stored, wentBack });
    if (refusal !== undefined) return refuse(refusal, { bound, cluster: identity });
    leaving ??= new Map(Object.entries(bound.leaving ?? {}));
    newestRevision = revision;
    confirmed = identity;
    complaint = undefined;
    if (strange.signal.aborted) strange = new AbortController();
    const own = under(listed.kvs, VOLUMES_PREFIX).filter((kv) => ownerOf(kv, node) === 'self');
    const changed = own.reduce((newest, { modRevision }) => Math.max(newest, modRevision), 0);
    const ids = new Set(own.map((kv) => nameIn(VOLUMES_PREFIX, kv.key)));
    const gone = [...leaving.keys()].filter((id) => !ids.has(id));
    // They have left. Only a mark that is newer than this may take the place of the warning.
    if (changed > (stored?.modRevision ?? 0) || gone.length > 0) await renew(gone);
    return listed;
  };

  const confirm = async (): Promise<boolean> => {
    // What a check finds while the answer is on its way is no measure for it.
    const leastRevision = newestRevision;
    const found = await kv.get(CLUSTER_KEY);
    const isSame = confirmed !== undefined && identityOf(found.clusterId, found.kv) === confirmed;
    return isSame && found.revision >= leastRevision;
  };

  /** `gone`: volumes that are known to have left, at the latest by now. */
  const renew = async (gone: readonly string[] = []): Promise<void> => {
    const bound = await storage.binding();
    const [isSame, { kv: stored, revision }] = await Promise.all([confirm(), kv.get(key)]);
    const conflict = new RigError('conflict', 'etcd does not hold the cluster that this disk belongs to');
    if (bound === null || !isSame) throw conflict;
    if (mismatch(bound, { node, identity: bound.cluster, revision, stored, wentBack }) !== undefined)
      throw conflict;
    const mark = Math.max(bound.mark, markOf(bound, stored)) + 1;
    await failpoints.reach('agent/before-witness');
    const result = await kv.transact({
      compare: [{ key, target: 'mod', equals: stored?.modRevision ?? 0 }],
      writes: [{ kind: 'put', key, value: formatMark({ disk: bound.disk, mark }) }],
    });
    if (!result.succeeded)
      throw new RigError('conflict', `somebody else wrote ${key}: two agents of one name?`);
    await storage.bind({ ...bound, mark, revision: result.revision, ...noted(gone) });
    for (const id of gone) leaving?.delete(id);
    witnessedRevision = result.revision;
    await failpoints.reach('agent/after-witness');
  };

  // One at a time: of two checks at once on a new disk the slower one would find
  // what was created after the faster one, and take it for somebody else's.
  const inTurn = createSerial();
  return {
    check: () => inTurn(check),
    refused: () => strange.signal,
    confirm,
    witness: async (revision) => {
      // Many that wait for one mark are content with the first that comes.
      if (witnessedRevision > revision) return;
      await inTurn(async () => {
        if (witnessedRevision <= revision) await renew();
      });
    },
    leaving: (id) => leaving?.get(id),
    leave: (id, to) =>
      inTurn(async () => {
        leaving?.set(id, to);
        try {
          await renew();
        } catch (error) {
          // It isn't handed over then. On the disk the warning may stay, which does no harm.
          leaving?.delete(id);
          throw error;
        }
      }),
    left: (id) => inTurn(() => renew([id])),
    stay: async (id) => {
      if (leaving?.delete(id) !== true) return;
      await inTurn(async () => {
        const bound = await storage.binding();
        if (bound !== null) await storage.bind({ ...bound, ...noted() });
      });
    },
  };
}
