// The rules of `npm run check` on trees that break them. A rule that catches
// nothing looks just like a project that keeps it.

import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const REPOSITORY = process.cwd();
const PURE_FILES = [
  'src/model/planted.ts',
  'src/daemon/api/planted.ts',
  'src/daemon/engine/planted.ts',
  'src/daemon/agent/planted.ts',
  'src/rig/checks/planted.ts',
  'src/rig/scenarios/planted.ts',
  'src/rig/report/planted.ts',
  'src/rig/compose/planted.ts',
  'src/rig/describe.ts',
  'src/rig/topology.ts',
];

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-architecture-'));
  symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'));
  for (const name of ['biome.json', 'lint', '.dependency-cruiser.js', 'package.json']) {
    cpSync(join(REPOSITORY, name), join(folder, name), { recursive: true });
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function plant(file: string, lines: readonly string[]): void {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), `${lines.join('\n')}\n`);
}

/** A module as `importer` names it; packages and Node's own modules are named as they are. */
function specifier(importer: string, imported: string): string {
  return imported.startsWith('src/') ? `./${relative(dirname(importer), imported)}` : imported;
}

/** What a checker prints, whatever it exits with. */
async function output(script: string, ...args: readonly string[]): Promise<string> {
  const command = [join(REPOSITORY, 'node_modules', script), ...args];
  return promisify(execFile)(process.execPath, command, { cwd: folder, maxBuffer: 2 ** 26 }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => {
      if (stdout === '') throw new Error(stderr);
      return stdout;
    },
  );
}

/** `<file>:<line>` of everything that the linter refuses. */
async function refusedLines(...files: readonly string[]): Promise<ReadonlySet<string>> {
  const found = await output(
    '@biomejs/biome/bin/biome',
    'lint',
    '--reporter=github',
    '--max-diagnostics=none',
    '--diagnostic-level=error',
    ...files,
  );
  const places = [...found.matchAll(/^::error title=[^,]+,file=([^,]+),line=(\d+)/gm)];
  return new Set(places.map(([, file = '', line]) => `${relative(folder, resolve(folder, file))}:${line}`));
}

describe('the linter', () => {
  const NOWHERE_BUT_AT_THE_RIM = [
    'export const a = Date.now();',
    'export const b = new Date();',
    'export const c = Date.now;',
    'export const d = Math.random();',
    'export const e = performance.now();',
    'export const f = setTimeout(() => {}, 1);',
    'export const g = setInterval(() => {}, 1);',
    'export const h = process.env.HOME;',
  ];
  const NOT_IN_PURE_PARTS = [
    ...NOWHERE_BUT_AT_THE_RIM,
    "export const i = fetch('http://localhost');",
    'export const j = AbortSignal.timeout(1);',
    'export const k = globalThis.Date.parse;',
    'export const l = crypto.randomUUID();',
    'export const { env } = process;',
  ];
  const GIVEN_TIMES = ['export const a = new Date(0);', "export const b = Date.parse('2026-01-01');"];

  it('refuses clock, chance, timers, network and environment in every pure part', async () => {
    for (const file of PURE_FILES) plant(file, NOT_IN_PURE_PARTS);
    const expected = PURE_FILES.flatMap((file) =>
      NOT_IN_PURE_PARTS.map((_, index) => `${file}:${index + 1}`),
    );
    expect([...(await refusedLines(...PURE_FILES))].sort()).toEqual(expected.sort());
  });

  it('refuses clock, chance, timers and environment in all but the rim', async () => {
    const files = ['src/daemon/planted.ts', 'src/kv/election.ts', 'src/rig/run.ts', 'src/cli/planted.ts'];
    for (const file of files) plant(file, NOWHERE_BUT_AT_THE_RIM);
    const expected = files.flatMap((file) =>
      NOWHERE_BUT_AT_THE_RIM.map((_, index) => `${file}:${index + 1}`),
    );
    expect([...(await refusedLines(...files))].sort()).toEqual(expected.sort());
  });

  it('refuses only the environment in base and the backends, and nothing in the settings', async () => {
    const rim = [
      'src/base/planted.ts',
      'src/kv/etcd.ts',
      'src/storage/planted.ts',
      'src/rig/docker/planted.ts',
    ];
    for (const file of rim) plant(file, NOWHERE_BUT_AT_THE_RIM);
    const settings = ['src/daemon/settings.ts', 'src/cluster/settings.ts'];
    for (const file of settings) plant(file, ['export const h = process.env.HOME;']);
    expect([...(await refusedLines(...rim, ...settings))].sort()).toEqual(
      rim.map((file) => `${file}:8`).sort(),
    );
  });

  it('lets pure parts format and parse a time that is given', async () => {
    plant('src/model/planted.ts', GIVEN_TIMES);
    expect([...(await refusedLines('src/model/planted.ts'))]).toEqual([]);
  });
});

describe('the dependency rules', () => {
  /** A rule, the module that breaks it, and what that imports. */
  const BROKEN: readonly (readonly [string, string, string])[] = [
    ['base-is-bottom', 'src/base/a.ts', 'src/model/names.ts'],
    ['model-above-base', 'src/model/a.ts', 'src/kv/keys.ts'],
    ['backends-above-model', 'src/storage/a.ts', 'src/kv/kv.ts'],
    ['daemon-below-rig', 'src/daemon/a.ts', 'src/rig/history.ts'],
    ['roles-meet-in-etcd', 'src/daemon/api/a.ts', 'src/daemon/engine/plan.ts'],
    ['daemon-takes-interfaces', 'src/daemon/b.ts', 'src/kv/etcd.ts'],
    ['one-etcd-client', 'src/rig/recorder.ts', 'etcd3'],
    ['docker-in-one-place', 'src/rig/perform.ts', 'dockerode'],
    ['rig-is-black-box', 'src/rig/probes.ts', 'src/daemon/cluster.ts'],
    ['rig-is-given-its-kv', 'src/rig/run.ts', 'src/kv/etcd.ts'],
    ['rig-is-given-its-kv', 'src/rig/collect.ts', 'src/kv/memory.ts'],
    ['fleet-of-agents', 'src/fleet/a.ts', 'src/rig/docker/engine.ts'],
    ['fleet-of-agents', 'src/fleet/a.ts', 'src/simulator/world.ts'],
    ['fleet-of-agents', 'src/fleet/b.ts', 'src/storage/btrfs.ts'],
    ['processes-at-the-rim', 'src/fleet/b.ts', 'node:child_process'],
    ['pure-half', 'src/rig/scenarios/a.ts', 'src/rig/traffic.ts'],
    ['pure-half', 'src/rig/checks/a.ts', 'src/rig/docker/engine.ts'],
    ['pure-half', 'src/rig/report/a.ts', 'src/rig/record-files.ts'],
    ['pure-half', 'src/rig/describe.ts', 'src/rig/clients.ts'],
    ['effects-at-the-rim', 'src/rig/report/b.ts', 'node:fs'],
    ['effects-at-the-rim', 'src/rig/scenario.ts', 'node:fs/promises'],
    ['effects-at-the-rim', 'src/rig/checks/b.ts', 'node:dns'],
    ['effects-at-the-rim', 'src/model/b.ts', 'node:crypto'],
    ['effects-at-the-rim', 'src/daemon/agent/b.ts', 'node:timers/promises'],
    ['pure-packages', 'src/rig/checks/c.ts', 'execa'],
    ['pure-packages', 'src/model/c.ts', 'fastify'],
    ['role-packages', 'src/daemon/engine/c.ts', 'dockerode'],
    ['execa-in-the-rig', 'src/rig/perform.ts', 'execa'],
    ['execa-in-the-rig', 'src/base/b.ts', 'execa'],
    ['processes-at-the-rim', 'src/rig/journal.ts', 'node:child_process'],
    ['environment-in-settings', 'src/kv/view.ts', 'node:process'],
    ['cli-is-top', 'src/rig/reports.ts', 'src/cli/interrupt.ts'],
    ['cli-is-top', 'src/cluster/a.ts', 'src/cli/interrupt.ts'],
    ['cluster-is-for-tests', 'src/rig/docker/a.ts', 'src/cluster/root.ts'],
    ['entries-are-top', 'src/cli/a.ts', 'src/index.ts'],
    ['jest-apart', 'src/cluster/b.ts', '@jest/globals'],
  ];

  let caught: ReadonlySet<string>;

  beforeAll(async () => {
    rmSync(join(folder, 'src'), { recursive: true, force: true });
    for (const [, , imported] of BROKEN) if (imported.startsWith('src/')) plant(imported, ['export {};']);
    for (const importer of new Set(BROKEN.map(([, each]) => each))) {
      const imported = BROKEN.filter(([, each]) => each === importer).map(([, , each]) => each);
      // `import type` is the import that is easiest to overlook.
      plant(
        importer,
        imported.map((each) => `import type {} from '${specifier(importer, each)}';`),
      );
    }
    const found = await output(
      'dependency-cruiser/bin/dependency-cruiser.mjs',
      'src',
      '--output-type',
      'json',
    );
    const report: { summary: { violations: { from: string; rule: { name: string } }[] } } = JSON.parse(found);
    caught = new Set(report.summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`));
  });

  it.each(BROKEN)('%s: %s must not import %s', (rule, importer) => {
    expect([...caught]).toContain(`${rule}: ${importer}`);
  });
});
