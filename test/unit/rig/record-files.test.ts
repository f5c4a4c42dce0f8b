import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { judge } from '../../../src/rig/checks/judge.ts';
import type { RecordedRun } from '../../../src/rig/history.ts';
import { readRecordedRun, readRunFile } from '../../../src/rig/record-files.ts';
import { calmRun } from './support/runs.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'record-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const lines = (events: readonly unknown[]): string =>
  events.map((event) => `${JSON.stringify(event)}\n`).join('');

/** Writes the run as the rig does. */
function save(run: RecordedRun, header: Readonly<Record<string, unknown>> = {}): void {
  const { scenario, seed, topology, consumers } = run;
  const file = {
    scenario,
    seed,
    runId: 'r1',
    topology,
    startedAtMs: 0,
    checks: ['access'],
    consumers,
    etcdComplete: true,
    ...header,
  };
  writeFileSync(join(folder, 'run.json'), JSON.stringify(file));
  writeFileSync(join(folder, 'history.jsonl'), lines(run.history));
  writeFileSync(join(folder, 'etcd-events.jsonl'), lines(run.etcd));
  mkdirSync(join(folder, 'logs'));
  for (const node of ['node1', 'node2']) {
    const own = run.logs.filter((line) => line.container === node);
    const text = own.map(
      ({ atMs, level, event, fields }) =>
        `${new Date(atMs).toISOString()} ${JSON.stringify({ level, event, ...fields })}\n`,
    );
    writeFileSync(join(folder, 'logs', `${node}.log`), text.join(''));
  }
}

describe('readRecordedRun', () => {
  it('reads back what was recorded, to the same verdicts', async () => {
    const run = calmRun().history.run();
    save(run);
    const read = await readRecordedRun(folder);
    expect(read).toEqual({ ...run, logs: expect.anything() });
    expect(read.logs).toHaveLength(run.logs.length);
    const names = ['access', 'one-leader', 'complete-history', 'logs'] as const;
    expect(judge(read, names)).toEqual(judge(run, names));
  });

  it.each(['history.jsonl', 'etcd-events.jsonl'])(
    'does not judge a run whose %s was taken away',
    async (file) => {
      save(calmRun().history.run());
      writeFileSync(join(folder, file), '');
      await expect(readRecordedRun(folder)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining(`${file} is missing or empty`),
      });
    },
  );

  it('knows a run that did not come to its end, and why', async () => {
    save(calmRun().history.run(), { etcdComplete: undefined, interrupted: 'Somebody stopped it.' });
    expect((await readRecordedRun(folder)).interrupted).toBe('Somebody stopped it.');
  });

  it('takes a run that tells nothing of its end for one whose rig was killed', async () => {
    save(calmRun().history.run(), { etcdComplete: undefined });
    expect((await readRecordedRun(folder)).interrupted).toBe('The rig itself was killed.');
  });

  it('reads an interrupted run up to the line that was cut short, and knows it is incomplete', async () => {
    const run = calmRun().history.run();
    save(run);
    writeFileSync(join(folder, 'etcd-events.jsonl'), `${lines(run.etcd.slice(0, 5))}{"atMs":12,"rev`);
    const read = await readRecordedRun(folder);
    expect(read.etcd).toHaveLength(5);
    expect(read.etcdComplete).toBe(false);
    expect(judge(read, ['complete-history']).verdict).toBe('unknown');
  });

  it('reads a run that died before it recorded anything', async () => {
    save(calmRun().history.run(), { etcdComplete: undefined });
    for (const file of ['history.jsonl', 'etcd-events.jsonl', 'logs'])
      rmSync(join(folder, file), { recursive: true });
    expect(await readRecordedRun(folder)).toMatchObject({ history: [], etcd: [], logs: [] });
  });

  it('believes a recorder that says that it lost track', async () => {
    save(calmRun().history.run(), { etcdComplete: false });
    expect((await readRecordedRun(folder)).etcdComplete).toBe(false);
  });

  it('names the line that is broken in the middle', async () => {
    save(calmRun().history.run());
    writeFileSync(join(folder, 'history.jsonl'), '{}\nnonsense\n{}\n');
    await expect(readRecordedRun(folder)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/history\.jsonl, line 2/),
    });
  });

  it('says what to do when the folder is no run, or its run.json is malformed', async () => {
    await expect(readRunFile(join(folder, 'nowhere'))).rejects.toMatchObject({
      code: 'invalid',
      next: expect.stringContaining('Name the folder of a run'),
    });
    save(calmRun().history.run(), { seed: 'x' });
    await expect(readRunFile(folder)).rejects.toMatchObject({ message: expect.stringContaining("'seed'") });
  });
});
