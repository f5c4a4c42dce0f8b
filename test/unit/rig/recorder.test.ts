import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { volumeKey } from '../../../src/kv/keys.ts';
import type { Kv, WatchBatch } from '../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { type OpenJournal, openJournal } from '../../../src/rig/journal.ts';
import { type Recorder, startRecorder } from '../../../src/rig/recorder.ts';
import { createManualClock } from '../../support/manual-clock.ts';

describe('the recorder', () => {
  const clock = createSystemClock();
  let folder: string;
  let journal: OpenJournal;
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

  it('asks ever less often where a member is that stays away, and at once again after it was there', async () => {
    const manual = createManualClock();
    const askedAtMs: number[] = [];
    let isThere = false;
    store = createMemoryStore({ clock: manual });
    const connect = async (): Promise<Kv> => {
      askedAtMs.push(manual.monotonicMs());
      if (isThere) return store.connect();
      throw new RigError('unavailable', 'the member is down');
    };
    recorder = startRecorder({ clock: manual, journal, connect });
    await manual.advance(1_200);
    expect(askedAtMs).toEqual([0, 50, 150, 350, 550, 750, 950, 1_150]);
    isThere = true;
    await put('a', '1');
    await manual.advance(200);
    expect(recorder.connected()).toBe(true);
    isThere = false;
    store.setAvailable(false);
    await manual.settle();
    const brokeMs = manual.monotonicMs();
    await manual.advance(200);
    expect(askedAtMs.filter((atMs) => atMs > brokeMs)).toEqual([brokeMs + 50, brokeMs + 150]);
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

  describe('at several members', () => {
    const MEMBERS = ['etcd1', 'etcd2', 'etcd3'];
    /** Members that hold back what they would tell, as if frozen: their streams stay up. */
    let frozen: Set<string>;
    let thawed: AbortController;

    beforeEach(() => {
      frozen = new Set();
      thawed = new AbortController();
    });

    /** `told` may change what a member tells. */
    const startAt = (told = (_member: string, batch: WatchBatch): WatchBatch => batch): void => {
      const connect = async (member: string): Promise<Kv> => {
        const kv = store.connect();
        return {
          ...kv,
          watch: async function* (options) {
            for await (const batch of kv.watch(options)) {
              const ended = AbortSignal.any([thawed.signal, options.signal]);
              if (frozen.has(member)) await once(ended, 'abort');
              yield told(member, batch);
            }
          },
        };
      };
      recorder = startRecorder({ clock, journal, members: MEMBERS, connect });
    };
    const recorded = (): readonly number[] => journal.etcd.map(({ revision }) => revision);
    const disagreements = (): readonly string[] =>
      readFileSync(join(folder, 'history.jsonl'), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"disagreement"'));

    it('sees at once what any of them tells, and nothing twice when the others follow', async () => {
      startAt();
      await recorder.caughtUp(await put('a', '1'), 1_000);
      frozen.add('etcd1').add('etcd2');
      await recorder.caughtUp(await put('b', '2'), 1_000);
      frozen.clear();
      thawed.abort();
      await recorder.caughtUp(await put('c', '3'), 1_000);
      expect(recorded()).toEqual([2, 3, 4]);
      expect(recorder.complete()).toBe(true);
      expect(disagreements()).toEqual([]);
    });

    it('records that members tell different things of one revision', async () => {
      startAt((member, batch) => (member === 'etcd3' ? { ...batch, events: [] } : batch));
      await recorder.caughtUp(await put('a', '1'), 1_000);
      await waitFor({
        clock,
        what: 'the disagreement to be recorded',
        timeoutMs: 1_000,
        probe: async () => (disagreements().length > 0 ? true : undefined),
      });
      expect(disagreements()[0]).toContain('"revision":2');
    });

    it('misses nothing when what one was yet to tell is compacted away', async () => {
      frozen.add('etcd1');
      startAt();
      await put('a', '1');
      const revision = await put('a', '2');
      await recorder.caughtUp(revision, 1_000);
      store.compact(revision);
      store.setAvailable(false);
      frozen.clear();
      thawed.abort();
      await waitFor({
        clock,
        what: 'the streams to break',
        timeoutMs: 1_000,
        probe: async () => (recorder.connected() ? undefined : true),
      });
      store.setAvailable(true);
      await recorder.caughtUp(await put('b', '3'), 5_000);
      expect(recorded()).toEqual([2, 3, 4]);
      expect(recorder.complete()).toBe(true);
    });
  });

  it('says what it last saw when a revision does not come', async () => {
    start();
    await expect(recorder.caughtUp(99, 30)).rejects.toThrow(/revision 99.*last seen: revision/);
  });
});
