// Runs a suite on the store in memory and on a real etcd, which is opened once
// for the suite and emptied for each test.

import { afterAll, beforeAll, beforeEach, describe, jest } from '@jest/globals';
import { BACKENDS, type Backend } from '../contract/kv-backends.ts';
import { type NodeOptions, startCluster, type TestCluster, wipe } from '../support/cluster.ts';

export interface Suite {
  /** The store of the running test. */
  readonly backend: () => Backend;
  readonly start: (nodes: Readonly<Record<string, NodeOptions>>) => Promise<TestCluster>;
}

export function onEveryStore(title: string, define: (suite: Suite) => void): void {
  jest.setTimeout(30_000);
  describe.each(BACKENDS)(`${title} on $name`, ({ open }) => {
    let opened: Backend | undefined;
    const backend = (): Backend => {
      if (opened === undefined) throw new Error('the store is not open');
      return opened;
    };
    beforeAll(async () => {
      opened = await open();
    }, 60_000);
    beforeEach(async () => {
      const kv = backend().connect();
      await wipe(kv);
      await kv.close();
    });
    afterAll(async () => {
      await opened?.[Symbol.asyncDispose]();
    });
    define({ backend, start: (nodes) => startCluster({ connect: () => backend().connect(), nodes }) });
  });
}
