import { expect, it } from '@jest/globals';
import { createLog } from '../../../../src/base/log.ts';
import { createRegistration } from '../../../../src/daemon/agent/registration.ts';
import { createRemains } from '../../../../src/daemon/agent/remains.ts';
import type { NodeFacts } from '../../../../src/daemon/agent/spec.ts';
import { nodeKey } from '../../../../src/kv/keys.ts';
import { openSession } from '../../../../src/kv/session.ts';
import type { Storage } from '../../../../src/storage/storage.ts';
import { createNode, openStore } from './support.ts';

it('says nothing of a node whose session ended while its disk was asked', async () => {
  const { kv, clock, storage } = createNode({ store: await openStore() });
  let asked = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  let isSlow = false;
  const slow: Storage = {
    ...storage,
    space: async () => {
      asked.resolve();
      if (isSlow) await answered.promise;
      return storage.space();
    },
  };
  const facts: NodeFacts = {
    ...{ node: 'a', address: '10.0.0.1', agentUrl: 'http://10.0.0.1', roles: ['agent'] },
    ...{ labels: {}, capacityGib: 1, virtual: false, volumePath: '/srv' },
  };
  const log = createLog({ write: () => undefined, nowMs: clock.nowMs, level: 'debug' });
  const remains = createRemains();
  const registration = createRegistration({ kv, clock, log, storage: slow, remains, facts });
  const session = await openSession({ kv, clock, ttlSeconds: 10 });
  await registration.register(session);
  isSlow = true;
  asked = Promise.withResolvers();
  const published = registration.publish();
  await asked.promise;
  await session.close();
  registration.forget();
  answered.resolve();
  await published;
  expect((await kv.get(nodeKey('a'))).kv).toBeUndefined();
});
