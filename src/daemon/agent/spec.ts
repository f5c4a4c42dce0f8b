// What a node was first started with: it is persisted, and wins over later
// settings. Clients change it while the node lives (PUT /nodes/<name>).

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { bytesToGib } from '../../base/units.ts';
import { followPrefix } from '../../kv/follow.ts';
import { specKey } from '../../kv/keys.ts';
import type { KeyValue, Kv } from '../../kv/kv.ts';
import type { Labels } from '../../model/names.ts';
import { type NodeSpec, nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import type { Role } from '../../model/volume.ts';
import type { DiskSpace, Storage } from '../../storage/storage.ts';

/** What the node says about itself. */
export interface NodeFacts {
  readonly node: string;
  readonly address: string;
  /** Where other nodes reach its agent; null if they can't. */
  readonly agentUrl: string | null;
  readonly roles: readonly Role[];
  readonly labels: Labels;
  /** Null: the size of the disk. */
  readonly capacityGib: number | null;
  readonly volumePath: string;
  readonly virtual: boolean;
}

/** The persisted spec, made from the settings if there is none: it wins from then on. */
export async function ensureSpec(options: {
  readonly kv: Kv;
  readonly storage: Storage;
  readonly facts: NodeFacts;
}): Promise<{ readonly spec: NodeSpec; readonly space: DiskSpace }> {
  const { kv, storage, facts } = options;
  const key = specKey(facts.node);
  const space = await storage.space();
  const spec: NodeSpec = {
    volume_path: facts.volumePath,
    capacity: facts.capacityGib ?? bytesToGib(space.totalBytes),
    labels: facts.labels,
    draining: false,
  };
  const known = (await kv.get(key)).kv;
  if (known !== undefined) return { spec: parseStored(nodeSpecSchema, known), space };
  const { succeeded } = await kv.transact({
    compare: [{ key, target: 'create', equals: 0 }],
    writes: [{ kind: 'put', key, value: JSON.stringify(spec) }],
  });
  return succeeded ? { spec, space } : ensureSpec(options);
}

/**
 * Tells of the spec as it is and as it changes, until the signal fires. Nothing is told of one that
 * was deleted: the node stays what it was until it registers again, and then writes a new one.
 */
export async function followSpec(options: {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly facts: NodeFacts;
  readonly signal: AbortSignal;
  readonly onSpec: (spec: NodeSpec) => Promise<void>;
}): Promise<void> {
  const { log } = options;
  const key = specKey(options.facts.node);
  const tell = async (kvs: readonly KeyValue[]): Promise<void> => {
    const last = kvs.filter((kv) => kv.key === key).at(-1);
    if (last === undefined) return;
    let spec: NodeSpec;
    try {
      spec = parseStored(nodeSpecSchema, last);
    } catch (cause) {
      log.error('stored.malformed', { key, cause });
      return;
    }
    await options.onSpec(spec);
  };
  await followPrefix({
    ...options,
    prefix: key,
    log: undefined,
    onSnapshot: ({ kvs }) => tell(kvs),
    onBatch: ({ events }) => tell(events.flatMap((event) => (event.kind === 'put' ? [event.kv] : []))),
  });
}
