// The benchmark starts clusters that outlive the processes that started them;
// it owes their removal however it ends.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { RUN_LABEL } from '../../src/rig/compose/render.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';

it('leaves no cluster and no folder when it is interrupted', async () => {
  const docker = await connectEngine(readSettings().engine);
  const running = async (): Promise<readonly string[]> => {
    const containers = await docker.listContainers({ all: true, filters: { label: [RUN_LABEL] } });
    return containers
      .map(({ Labels }) => Labels[RUN_LABEL] ?? '')
      .filter((run) => run.startsWith('up-bench-'));
  };
  const before = new Set(await running());
  const cwd = mkdtempSync(join(tmpdir(), 'cobalt-rig-bench-'));
  try {
    const main = join(ROOT_FOLDER, 'src/cli/main.ts');
    const bench = execa(process.execPath, [main, 'bench', 'up', '--rounds', '1'], { cwd, reject: false });
    const run = await waitFor({
      clock: createSystemClock(),
      what: 'a container of the benchmark',
      timeoutMs: 60_000,
      intervalMs: 50,
      probe: async () => (await running()).find((each) => !before.has(each)),
    });
    bench.kill('SIGTERM');
    const { exitCode, stderr } = await bench;
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: expect.stringContaining('interrupted') });
    expect(await running()).not.toContain(run);
    expect(readdirSync(join(cwd, 'runs'))).toEqual([]);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}, 90_000);
