import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { SECRET_KEY, subscriptionKey, volumeKey } from '../../../src/kv/keys.ts';
import { createMemoryStore } from '../../../src/kv/memory.ts';
import { completeHistory } from '../../../src/rig/checks/complete-history.ts';
import { collectFinalState } from '../../../src/rig/collect.ts';
import { openJournal } from '../../../src/rig/journal.ts';
import { ETCD_EVENTS_FILE, HISTORY_FILE } from '../../../src/rig/record-files.ts';
import { startRecorder } from '../../../src/rig/recorder.ts';
import { redactedEtcdEvent } from '../../../src/rig/redact.ts';
import { reportHtml } from '../../../src/rig/report/html.ts';
import { createHistory } from './support/history.ts';

const CLUSTER_SECRET = 'c'.repeat(64);
const CALLBACK_SECRET = 'callback-secret';
const SUBSCRIPTION = { url: 'http://10.0.0.1/', secret: CALLBACK_SECRET };

describe('the record of a run', () => {
  const clock = createSystemClock();
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'redact-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('holds no secret of the cluster or of a subscription, and is whole without them', async () => {
    const kv = createMemoryStore({ clock }).connect();
    for (const [key, value] of [
      [SECRET_KEY, CLUSTER_SECRET],
      [subscriptionKey('s1'), JSON.stringify(SUBSCRIPTION)],
      [volumeKey('v1'), '{"name":"a"}'],
    ] as const) {
      await kv.transact({ compare: [], writes: [{ kind: 'put', key, value }] });
    }
    using journal = openJournal({ clock, folder });
    {
      await using recorder = startRecorder({ clock, journal, connect: async () => kv });
      journal.record({
        type: 'call',
        phase: 'ok',
        call: 1,
        process: 'client',
        operation: {
          kind: 'http',
          node: 'node1',
          method: 'POST',
          path: '/subscriptions',
          body: SUBSCRIPTION,
        },
        body: { subscriptions: [{ id: 's1', ...SUBSCRIPTION }] },
      });
      await recorder.caughtUp(await collectFinalState({ kv, journal }), 1_000);
    }

    const files = [ETCD_EVENTS_FILE, HISTORY_FILE].map((name) => readFileSync(join(folder, name), 'utf8'));
    const run = createHistory().run({ etcd: journal.etcd });
    const result = {
      scenario: 's',
      seed: 1,
      folder,
      elapsedMs: 1,
      verdict: 'valid',
      verdicts: [],
    } as const;
    for (const text of [...files, reportHtml({ run, result, assets: { scripts: [], styles: '' } })]) {
      expect(text).toContain('(redacted)');
      expect(text).not.toContain(CLUSTER_SECRET);
      expect(text).not.toContain(CALLBACK_SECRET);
    }
    // All else is there, and the events still lead to the final state.
    expect(files[0]).toContain('http://10.0.0.1/');
    const history = (files[1] ?? '')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line));
    expect(completeHistory(createHistory().run({ etcd: journal.etcd, history })).verdict).toBe('valid');
  });

  it('leaves nothing of a subscription that is cut short', () => {
    const value = JSON.stringify(SUBSCRIPTION).slice(0, -1);
    const event = { atMs: 0, revision: 2, kind: 'put', key: subscriptionKey('s1'), value } as const;
    expect(redactedEtcdEvent(event).value).toBe('"(redacted)"');
  });
});
