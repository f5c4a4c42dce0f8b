// Whatever becomes of the rig, the processes and the folder of a run go.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { startOf } from '../../../src/base/process-start.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { endLeftovers, endRun } from '../../../src/process/leftovers.ts';
import { FOLDER_PREFIX } from '../../../src/process/place.ts';
import { endProcessesOfRun, processesOfRun, RUN_VARIABLE } from '../../../src/process/processes.ts';

const clock = createSystemClock();
const GUARD = join(import.meta.dirname, '../../../src/process/guard.ts');
const RUN = `left-test-${process.pid}`;

let folder: string;
let child: ChildProcess;

beforeEach(async () => {
  // In a session of its own: nothing but its environment tells whose it is.
  child = spawn('/bin/sh', ['-c', 'sleep 1000 & sleep 1000'], {
    detached: true,
    env: { PATH: '/usr/bin:/bin', [RUN_VARIABLE]: RUN },
  });
  await once(child, 'spawn');
  folder = mkdtempSync(join(tmpdir(), FOLDER_PREFIX));
});

afterEach(async () => {
  await endProcessesOfRun(clock, RUN);
  rmSync(folder, { recursive: true, force: true });
});

const guarded = (path: string): ChildProcess =>
  spawn(process.execPath, [GUARD, RUN, path], { detached: true, stdio: ['pipe', 'ignore', 'pipe'] });

it('a guard ends them when the rig is no more, frozen or not', async () => {
  child.kill('SIGSTOP');
  const guard = guarded(folder);
  guard.stdin?.destroy();
  await once(guard, 'exit');
  expect(processesOfRun(RUN)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

it('a guard does nothing while there is a rig', async () => {
  const guard = guarded(folder);
  await waitFor({
    clock,
    what: 'the guard to wait for the end of its input',
    timeoutMs: 10_000,
    probe: async () => startOf(guard.pid ?? 0),
  });
  expect(processesOfRun(RUN).length).toBeGreaterThan(0);
  expect(existsSync(folder)).toBe(true);
  guard.stdin?.end();
  await once(guard, 'exit');
});

it('a guard refuses a folder that is no run’s', async () => {
  const other = mkdtempSync(join(tmpdir(), 'somebody-elses-'));
  const guard = guarded(other);
  const [code] = await once(guard, 'exit');
  expect(code).toBe(64);
  expect(existsSync(other)).toBe(true);
  rmSync(other, { recursive: true });
});

it('the next run ends what is left where the guard was killed, too, and only that', async () => {
  const dead = join(tmpdir(), `${FOLDER_PREFIX}1-99999999999-${RUN}`);
  const living = join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-${startOf(process.pid)}-other${RUN}`);
  for (const path of [dead, living]) mkdirSync(path);
  await expect(endRun(clock, `other${RUN}`)).rejects.toMatchObject({ code: 'conflict' });
  expect(await endLeftovers(clock)).toContain(RUN);
  expect(processesOfRun(RUN)).toEqual([]);
  expect([dead, living].map((path) => existsSync(path))).toEqual([false, true]);
  expect(await endRun(clock, RUN)).toBe(false);
  rmSync(living, { recursive: true });
});
