// What no contract of a disk says: how its answer meets what is still being sent.

import { expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createMemoryDisk, createMemoryStorage } from '../../../src/storage/memory.ts';
import { createRemoteStorage } from '../../../src/storage/remote.ts';
import { serveMemory } from '../../contract/support/remote-backends.ts';

const MIB = 1024 ** 2;
const ROUNDS = 200;

it('is heard by whoever still sends when it has read enough', async () => {
  const disk = () => createMemoryDisk({ totalBytes: 64 * MIB });
  const source = createMemoryStorage({ clock: createSystemClock(), disk: disk() });
  const id = 'v0000000000000001';
  await source.create({ id, quotaBytes: MIB });
  await using served = await serveMemory(disk());
  const target = createRemoteStorage(served.open('storage'));
  for (let round = 0; round < ROUNDS; round += 1) {
    const copy = { id, name: `00000000000000ab-${round}` };
    await source.freeze(copy);
    const bytes = async function* () {
      yield* source.send(copy);
      // The end of the stream comes a moment after the last that is read of it.
      for (let turn = 0; turn < round % 20; turn += 1) await new Promise(setImmediate);
    };
    await expect(target.receive(copy, bytes())).resolves.toBeUndefined();
    await target.discard(copy);
    await source.discard(copy);
  }
});
