// The logs of a fleet's nodes as its console has them, while the fleet comes, logs and goes.

import { getEventListeners } from 'node:events';
import {
  appendFileSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { type Clock, createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { followFleetLogs } from '../../../src/cli/console/fleet-logs.ts';
import { createHub } from '../../../src/cli/console/hub.ts';

const clock = createSystemClock();
let folder: string;
let over: AbortController;
let done: Promise<void>;
let told: string[];
let toldMs: number[];
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'console-fleet-')), 'logs');
  over = new AbortController();
  told = [];
  toldMs = [];
});
afterEach(async () => {
  over.abort();
  await done;
  rmSync(join(folder, '..'), { recursive: true });
});

function follow(by: Clock = clock): void {
  const hub = createHub(clock);
  hub.listen((event) => {
    if (event.type !== 'logs') return;
    told.push(...event.lines.map(({ member, level, text }) => `${member} ${level} ${text}`));
    toldMs.push(...event.lines.map(({ atMs }) => atMs));
  });
  done = followFleetLogs({ hub, clock: by, folder, signal: over.signal });
}
/** Follows until the folder was looked for so often, without the pauses between. */
async function followRounds(atLeast: number, eachProbe = (): void => undefined): Promise<void> {
  let rounds = 0;
  const sleep: Clock['sleep'] = (_ms, signal) => {
    rounds += 1;
    return clock.sleep(1, signal);
  };
  follow({ ...clock, sleep });
  await waitFor({
    ...{ clock, what: `${atLeast} rounds`, timeoutMs: 10_000, intervalMs: 10 },
    probe: async () => {
      eachProbe();
      return rounds >= atLeast || undefined;
    },
    describe: () => `${rounds}`,
  });
}
const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
const lineOf = (second: number, event: string): string =>
  `${JSON.stringify({ at: at(second), level: 'warn', event, node: 'a' })}\n`;
const log = (name: string, text: string): void => appendFileSync(join(folder, `${name}.log`), text);
const until = (wanted: readonly unknown[]): Promise<unknown> =>
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

it('reads a file that took the place of a shorter one from its beginning', async () => {
  mkdirSync(folder);
  log('a', lineOf(1, 'one'));
  follow();
  await until(['a warn one']);
  rmSync(join(folder, 'a.log'));
  log('a', lineOf(2, 'two, and longer') + lineOf(3, 'three'));
  await until(['a warn one', 'a warn two, and longer', 'a warn three']);
});

it('has the lines of a file while another is removed', async () => {
  mkdirSync(folder);
  log('a', lineOf(1, 'one'));
  follow();
  await until(['a warn one']);
  log('b', lineOf(2, 'two'));
  rmSync(join(folder, 'a.log'));
  await until(['a warn one', 'b warn two otherNode=a']);
});

it.each([
  ['a folder', 'EISDIR', (path: string) => mkdirSync(join(path, 'within'), { recursive: true })],
  ['a link to itself', 'ELOOP', (path: string) => symlinkSync('x.log', path)],
])('tells once that it cannot read %s, and goes on with the others', async (_what, code, make) => {
  const unreadable = join(folder, 'x.log');
  mkdirSync(folder);
  make(unreadable);
  log('a', lineOf(1, 'one'));
  follow();
  const complaint = expect.stringMatching(
    `^console warn cannot read ${unreadable}: ${code}: .*\\. Put it right, and its lines are shown\\.$`,
  );
  await until([complaint, 'a warn one']);
  lutimesSync(unreadable, 0, 0);
  log('a', lineOf(2, 'two'));
  await until([complaint, 'a warn one', 'a warn two']);
});

it('says nothing of a file that is not there', async () => {
  mkdirSync(folder);
  symlinkSync('nowhere', join(folder, 'x.log'));
  log('a', lineOf(1, 'one'));
  follow();
  await until(['a warn one']);
});

it('tells once of a folder that it cannot follow', async () => {
  symlinkSync('logs', folder);
  await followRounds(3);
  expect(told).toEqual([expect.stringMatching(`^console warn cannot read ${folder}: ELOOP: `)]);
});

it('leaves no listener behind when it looks for the folder again', async () => {
  mkdirSync(folder);
  // What is no log may be another folder.
  await followRounds(5, () => writeFileSync(join(folder, 'other'), ''));
  expect(getEventListeners(over.signal, 'abort').length).toBeLessThanOrEqual(1);
});

it('has a line that does not say when with the one before it, or as of when it was written', async () => {
  mkdirSync(folder);
  log('a', `first\n${lineOf(2, 'two')}    at main.ts:1\n`);
  log('b', lineOf(1, 'one') + lineOf(3, 'three'));
  follow();
  const before = [
    'b warn one otherNode=a',
    'a info first',
    'a warn two',
    'a info     at main.ts:1',
    'b warn three otherNode=a',
  ];
  await until(before);
  log('a', 'alone\n');
  await until([...before, 'a info alone']);
  const { mtimeMs } = statSync(join(folder, 'a.log'));
  expect(toldMs).toEqual([...[1, 2, 2, 2, 3].map((second) => Date.parse(at(second))), mtimeMs]);
});
