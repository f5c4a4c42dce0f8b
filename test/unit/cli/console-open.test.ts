// What a folder is taken for, and a fleet that does not run: its power can be switched all the same.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { openConsoleSource } from '../../../src/cli/console/open.ts';
import { clusterOf, DEFAULTS } from '../../../src/cli/fleet-options.ts';
import { createCluster, readCluster } from '../../../src/fleet/cluster-file.ts';

const clock = createSystemClock();
let folder: string;
let over: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-console-open-'));
  over = new AbortController();
});
afterEach(() => {
  over.abort();
  rmSync(folder, { recursive: true, force: true });
});

const open = () => openConsoleSource({ folder, flags: {} }, { clock, signal: over.signal });

describe('a folder', () => {
  it('of a fleet that does not run is shown with what to do, and its power can be switched', async () => {
    const { prefix, heartbeatSeconds: heartbeat, sharedDevices, seenBy } = DEFAULTS;
    const flags = { prefix, heartbeat, sharedDevices, seenBy, nodes: 2, profile: 'plain' };
    await createCluster(folder, await clusterOf(flags));
    const source = await open();
    const { hub } = source;
    const seen = (what: string, holds: () => boolean) =>
      waitFor({
        clock,
        what,
        timeoutMs: 5_000,
        probe: async () => holds() || undefined,
        describe: () => JSON.stringify(hub.items),
      });
    await seen(
      'it to say that it does not run',
      () => hub.items.cluster?.is === 'cluster' && hub.items.cluster.gone !== null,
    );
    expect(hub.items.cluster).toMatchObject({
      kind: 'fleet',
      gone: { why: 'it does not run', next: expect.stringContaining(`rig sim run --state ${folder}`) },
    });
    const [{ name } = { name: '' }] = (await readCluster(folder)).nodes;
    source.give?.({ do: 'power', power: 'off', to: [name] });
    // A key that is held down.
    source.give?.({ do: 'power', power: 'off', to: [name] });
    await seen('the order to be done', () => JSON.stringify(hub.items['order:1']).includes('"done"'));
    expect((await readCluster(folder)).nodes.map(({ power }) => power)).toEqual(['off', 'on']);
    source.give?.({ do: 'kill', to: [name] });
    await seen('the order to fail', () =>
      JSON.stringify(hub.items['order:2']).includes('faults are for clusters in containers'),
    );
    over.abort();
    await source.done;
  });

  it('that is nothing of the kind is refused, and so are two clusters at once', async () => {
    await expect(open()).rejects.toThrow(/has neither cluster.json nor run.json/);
    writeFileSync(join(folder, 'cluster.json'), '{"version":1');
    await expect(open()).rejects.toThrow(/cluster\.json/);
    const both = openConsoleSource({ folder, flags: { name: 'x' } }, { clock, signal: over.signal });
    await expect(both).rejects.toThrow(/each name something/);
  });
});
