// An etcd for a whole file of tests, which its operator's own tools can set back; emptied for each test.

import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { createEtcdKv } from '../../src/kv/etcd.ts';
import type { Kv } from '../../src/kv/kv.ts';
import { wipe } from '../support/cluster.ts';
import { type RestorableEtcd, startRestorableEtcd } from '../support/etcd.ts';

export interface Restorable {
  readonly etcd: () => RestorableEtcd;
  readonly connect: () => Kv;
}

export function onRestorableEtcd(): Restorable {
  let started: RestorableEtcd | undefined;
  const etcd = (): RestorableEtcd => {
    if (started === undefined) throw new Error('etcd was not started');
    return started;
  };
  const connect = (): Kv => createEtcdKv({ endpoints: etcd().endpoints });
  beforeAll(async () => {
    started = await startRestorableEtcd();
  }, 60_000);
  afterAll(async () => {
    await started?.[Symbol.asyncDispose]();
  }, 30_000);
  beforeEach(async () => {
    const kv = connect();
    await wipe(kv);
    await kv.close();
  });
  return { etcd, connect };
}
