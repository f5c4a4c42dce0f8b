// etcd as the rig observes it: with the product's own client.

import { createEtcdKv } from '../kv/etcd.ts';
import type { Kv } from '../kv/kv.ts';

export const openKv = (endpoints: readonly string[]): Kv => createEtcdKv({ endpoints });
