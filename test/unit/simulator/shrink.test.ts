import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';
import type { Plan } from '../../../src/rig/chaos/plan.ts';
import { PLAN_FILE, RUN_FILE, type RunFile } from '../../../src/rig/record-files.ts';
import { plant, readBugs } from '../../planted/sources.ts';

/** Many runs, each in a process or a thread of its own, on whatever machine. */
const LONGEST_MS = 600_000;

const rigIn = (root: string, ...args: readonly string[]) =>
  execa(process.execPath, [join(root, 'src/cli/main.ts'), ...args], { reject: false });

describe('a run of chaos that a planted bug fails', () => {
  let planted: ReturnType<typeof plant>;
  let out: string;
  let run: string;
  const planOf = (folder: string): Plan => JSON.parse(readFileSync(join(folder, PLAN_FILE), 'utf8')) as Plan;
  beforeAll(async () => {
    const bug = readBugs().find(({ name }) => name === 'events-repeated');
    if (bug === undefined) throw new Error('there is no such bug');
    planted = plant(bug);
    symlinkSync(join(ROOT_FOLDER, 'node_modules'), join(planted.root, 'node_modules'));
    out = mkdtempSync(join(tmpdir(), 'shrink-'));
    const flags = ['--mode', 'simulated', '--seed', '13', '--duration', '20s', '--out', out];
    await rigIn(planted.root, 'run', 'chaos', ...flags);
    run = join(out, readdirSync(out)[0] ?? '');
  }, LONGEST_MS);
  afterAll(() => {
    planted[Symbol.dispose]();
    rmSync(out, { recursive: true });
  });

  it(
    'is shrunk to a fault or two that fail in the same way, again and again',
    async () => {
      const shrunk = await rigIn(
        planted.root,
        'shrink',
        run,
        '--check',
        'watch',
        '--tries',
        '20',
        '--within',
        '600',
      );
      expect(shrunk.stdout).toMatch(/watch \(invalid\)/);
      expect(shrunk.stdout).toMatch(
        /from \d+ faults, \d+ calls to \d+, \d+, in 20 runs: all that --tries allows/,
      );
      expect(shrunk.exitCode).toBe(1);
      const [before, after] = [planOf(run), planOf(`${run}-shrunk`)];
      expect(before.faults.length).toBeGreaterThan(5);
      expect(after.faults.length).toBeLessThanOrEqual(2);
      expect(after.workload.clients).toBeLessThan(before.workload.clients);
      const again = await rigIn(planted.root, 'replay', `${run}-shrunk`);
      expect([again.exitCode, again.stdout]).toEqual([
        1,
        expect.stringContaining('the same as before, byte by byte'),
      ]);
    },
    LONGEST_MS,
  );

  it(
    'is not shrunk where it does not fail again, as without the bug, or has not failed',
    async () => {
      const sound = await rigIn(ROOT_FOLDER, 'shrink', run);
      expect([sound.exitCode, sound.stdout]).toEqual([
        2,
        expect.stringMatching(/does not fail again: the sources/),
      ]);
      // As if it had been recorded in containers.
      const { mode: _, ...header } = JSON.parse(readFileSync(join(run, RUN_FILE), 'utf8')) as RunFile;
      writeFileSync(join(run, RUN_FILE), JSON.stringify(header));
      const elsewhere = await rigIn(ROOT_FOLDER, 'shrink', run);
      expect([elsewhere.exitCode, elsewhere.stdout]).toEqual([
        2,
        expect.stringMatching(/does not fail when it is simulated/),
      ]);
      const refused = await rigIn(ROOT_FOLDER, 'shrink', run, '--check', 'durability');
      expect([refused.exitCode, refused.stderr]).toEqual([
        3,
        expect.stringMatching(/does not fail by durability/),
      ]);
    },
    LONGEST_MS,
  );
});
