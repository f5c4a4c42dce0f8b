// etcd as the rig observes it: with the product's own client.

import { createEtcdKv } from '../kv/etcd.ts';
import type { EtcdCredentials } from '../kv/etcd-credentials.ts';
import type { Kv } from '../kv/kv.ts';

export const openKv = (endpoints: readonly string[], credentials?: EtcdCredentials): Kv =>
  createEtcdKv({ ...credentials, endpoints });
