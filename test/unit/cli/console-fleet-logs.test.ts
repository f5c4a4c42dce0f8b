// The logs of a fleet's nodes as its console has them, while the fleet comes, logs and goes.

import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { followFleetLogs } from '../../../src/cli/console/fleet-logs.ts';
import { createHub } from '../../../src/cli/console/hub.ts';

const clock = createSystemClock();
let folder: string;
let over: AbortController;
let done: Promise<void>;
let told: string[];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'console-fleet-')), 'logs');
  over = new AbortController();
  told = [];
});
afterEach(async () => {
  over.abort();
  await done;
  rmSync(join(folder, '..'), { recursive: true });
});

function follow(): void {
  const hub = createHub(clock);
  hub.listen((event) => {
    if (event.type !== 'logs') return;
    told.push(...event.lines.map(({ member, level, text }) => `${member} ${level} ${text}`));
  });
  done = followFleetLogs({ hub, clock, folder, signal: over.signal });
}
const lineOf = (second: number, event: string): string =>
  `${JSON.stringify({ at: `2026-01-01T00:00:0${second}.000Z`, level: 'warn', event, node: 'a' })}\n`;
const log = (name: string, text: string): void => appendFileSync(join(folder, `${name}.log`), text);
const until = (wanted: readonly string[]): Promise<unknown> =>
  waitFor({
    ...{ clock, what: 'the lines', timeoutMs: 10_000, intervalMs: 10 },
    probe: async () => told.length >= wanted.length || undefined,
    describe: () => JSON.stringify(told),
  }).then(() => expect(told).toEqual(wanted));

it('has what was logged before in the order of time, then each line once, when it is whole', async () => {
  mkdirSync(folder);
  log('a', lineOf(1, 'one') + lineOf(3, 'three'));
  log('b', lineOf(2, 'two'));
  follow();
  const before = ['a warn one', 'b warn two otherNode=a', 'a warn three'];
  await until(before);
  log('a', lineOf(4, 'four') + lineOf(5, 'five').slice(0, 20));
  await until([...before, 'a warn four']);
  log('a', lineOf(5, 'five').slice(20));
  await until([...before, 'a warn four', 'a warn five']);
});

it('has the last of a long file', async () => {
  mkdirSync(folder);
  log('a', lineOf(1, 'x'.repeat(70_000)) + lineOf(2, 'two'));
  follow();
  await until(['a warn two']);
});

it('waits for a fleet, and follows the next one in its place', async () => {
  follow();
  mkdirSync(folder);
  log('a', lineOf(1, 'one') + lineOf(2, 'two'));
  await until(['a warn one', 'a warn two']);
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.log'), lineOf(3, 'three'));
  await until(['a warn one', 'a warn two', 'a warn three']);
});
