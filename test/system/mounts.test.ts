// A volume mounted by a kernel, by hand: files through it, and the events that its consumer follows.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import type { MountState } from '../../src/rig/consumer/mount-protocol.ts';

const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');
const NAME = `mounts-${process.pid}`;
const clock = createSystemClock();

describe('a volume that a consumer has mounted by a kernel', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-mounts-'));
    await rig(['up']);
    await rig(['volume', 'create', 'first', '--size', '0.25', '--export', 'consumer1=rw']);
  }, 600_000);

  afterAll(async () => {
    await rig(['down']);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const start = (words: readonly string[], inside: readonly string[] = []) => {
    const own = [...words, '--name', NAME, ...(inside.length > 0 ? ['--', ...inside] : [])];
    return execa(process.execPath, [MAIN, ...own], { cwd: folder, reject: false, stdin: 'ignore' });
  };

  /** What it printed; it has to exit with 0. */
  async function rig(words: readonly string[], inside?: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await start(words, inside);
    expect({ words, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    return stdout;
  }

  const mountOf = async (): Promise<MountState | undefined> =>
    (JSON.parse(await rig(['mounts', '--json'])) as MountState[])[0];
  const mountedFrom = async (server: string | null): Promise<void> => {
    let seen: MountState | undefined;
    await waitFor({
      clock,
      what: `it to be mounted from ${server}`,
      timeoutMs: 15_000,
      intervalMs: 100,
      probe: async () => {
        seen = await mountOf();
        return seen?.server === server ? true : undefined;
      },
      describe: () => JSON.stringify(seen),
    });
  };

  it('has its files, is found again where it was moved to, and is gone with the permission', async () => {
    const { exitCode, stdout, stderr } = await start(['mount', 'first']);
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^first \(v.*\) is mounted at \/mnt\/first of consumer1, from node\d, by (the host's kernel|a small virtual machine in the consumer, .*, for the host's kernel has no NFS client)$/,
      ),
    });
    // What takes seconds is told before, and only where it is so.
    expect(stderr).toBe(
      stdout.endsWith("by the host's kernel")
        ? ''
        : "consumer1 starts a small virtual machine to mount by, for the host's kernel has no NFS client: a second or two, once",
    );
    expect((await start(['mount', 'first'])).stderr).toBe('');
    await rig(['mount', 'first'], ['sh', '-c', 'echo hello > /mnt/first/greeting']);
    expect(await rig(['mount', 'first'], ['cat', '/mnt/first/greeting'])).toBe('hello');

    const before = (await mountOf())?.server;
    const moved = JSON.parse(await rig(['volume', 'move', 'first', '--json'])) as { readonly node: string };
    expect(moved.node).not.toBe(before);
    await mountedFrom(moved.node);
    expect(await rig(['mount', 'first'], ['cat', '/mnt/first/greeting'])).toBe('hello');

    await rig(['volume', 'exports', 'first', 'consumer2=rw']);
    await mountedFrom(null);
    const refused = await start(['mount', 'first']);
    expect(refused).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(
        /^rig: first is exported to consumer2=rw, not to consumer1 \([\d.]+\); let it in with rig volume exports first consumer2=rw consumer1=rw\.$/,
      ),
    });
    const said = await rig(['logs', '--json']);
    const events = said.split('\n').flatMap((line) => /"event":"(mount\.\w+)".*/.exec(line)?.[1] ?? []);
    expect(events).toEqual([...['mount.mounted', 'mount.unmounted', 'mount.mounted', 'mount.unmounted']]);
  }, 120_000);
});
