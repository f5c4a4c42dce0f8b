import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { volumeKey } from '../../../src/kv/keys.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { type Journal, openJournal } from '../../../src/rig/journal.ts';
import { type Recorder, startRecorder } from '../../../src/rig/recorder.ts';

describe('the recorder', () => {
  const clock = createSystemClock();
  let folder: string;
  let journal: Journal;
  let store: ReturnType<typeof createMemoryStore>;
  let recorder: Recorder;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'recorder-'));
    journal = openJournal({ clock, folder });
    store = createMemoryStore({ clock });
  });

  afterEach(async () => {
    await recorder[Symbol.asyncDispose]();
    journal[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  const start = (): void => {
    recorder = startRecorder({ clock, journal, connect: async () => store.connect() });
  };

  const put = async (id: string, value: string): Promise<number> => {
    const { revision } = await store
      .connect()
      .transact({ compare: [], writes: [{ kind: 'put', key: volumeKey(id), value }] });
    return revision;
  };

  it('records what was committed before it started, and after', async () => {
    await put('early', '1');
    start();
    const revision = await put('late', '2');
    await recorder.caughtUp(revision, 1_000);
    expect(journal.etcd.map(({ key }) => key)).toEqual([volumeKey('early'), volumeKey('late')]);
    expect(recorder.keys().get(volumeKey('late'))?.value).toBe('2');
  });

  it('records every event once, through an outage', async () => {
    start();
    await recorder.caughtUp(await put('a', '1'), 1_000);
    store.setAvailable(false);
    await waitFor({
      clock,
      what: 'the stream to break',
      timeoutMs: 1_000,
      probe: async () => (recorder.connected() ? undefined : true),
    });
    store.setAvailable(true);
    await recorder.caughtUp(await put('b', '2'), 5_000);
    expect(journal.etcd.map(({ revision, key }) => [revision, key])).toEqual([
      [2, volumeKey('a')],
      [3, volumeKey('b')],
    ]);
    expect(recorder.complete()).toBe(true);
  });

  it('admits that history was lost when it was compacted away', async () => {
    await put('a', '1');
    const revision = await put('a', '2');
    store.compact(revision);
    start();
    await waitFor({
      clock,
      what: 'the loss to show',
      timeoutMs: 1_000,
      probe: async () => (recorder.complete() ? undefined : true),
    });
  });

  it('says what it last saw when a revision does not come', async () => {
    start();
    await expect(recorder.caughtUp(99, 30)).rejects.toThrow(/revision 99.*last seen: revision/);
  });
});
