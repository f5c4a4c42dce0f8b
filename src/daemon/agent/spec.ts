// What a node was first started with: it is persisted, and wins over later settings.

import { bytesToGib } from '../../base/units.ts';
import { specKey } from '../../kv/keys.ts';
import type { Kv } from '../../kv/kv.ts';
import type { Labels } from '../../model/names.ts';
import { type NodeSpec, nodeSpecSchema } from '../../model/node.ts';
import { parseStored } from '../../model/parse.ts';
import type { Role } from '../../model/volume.ts';
import type { Storage } from '../../storage/storage.ts';

/** What the node says about itself. */
export interface NodeFacts {
  readonly node: string;
  readonly address: string;
  readonly roles: readonly Role[];
  readonly labels: Labels;
  /** Null: the size of the disk. */
  readonly capacityGib: number | null;
  readonly volumePath: string;
  readonly virtual: boolean;
}

/** The persisted spec, made from the settings if there is none: it wins from then on (design.md). */
export async function ensureSpec(options: {
  readonly kv: Kv;
  readonly storage: Storage;
  readonly facts: NodeFacts;
}): Promise<{ readonly spec: NodeSpec; readonly available: number }> {
  const { kv, storage, facts } = options;
  const key = specKey(facts.node);
  const space = await storage.space();
  const available = bytesToGib(space.availableBytes);
  const spec: NodeSpec = {
    volume_path: facts.volumePath,
    capacity: facts.capacityGib ?? bytesToGib(space.totalBytes),
    labels: facts.labels,
    draining: false,
  };
  const known = (await kv.get(key)).kv;
  if (known !== undefined) return { spec: parseStored(nodeSpecSchema, known), available };
  const { succeeded } = await kv.transact({
    compare: [{ key, target: 'create', equals: 0 }],
    writes: [{ kind: 'put', key, value: JSON.stringify(spec) }],
  });
  return succeeded ? { spec, available } : ensureSpec(options);
}
