// A session by hand, as README has it: each command is a process of its own, and knows
// what those before it did.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../src/base/clock.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';

const MAIN = join(ROOT_FOLDER, 'src/cli/main.ts');
const NAME = `hand-${process.pid}`;
const clock = createSystemClock();

interface Shown {
  readonly etcd: string | null;
  readonly faults: readonly { readonly id: string; readonly members: readonly string[] }[];
  readonly members: readonly {
    readonly member: string;
    readonly state: string;
    readonly leads: boolean;
    readonly roles: Readonly<Record<string, string>>;
  }[];
}

describe('a cluster by hand', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-hand-'));
    await rig('up');
  }, 600_000);

  afterAll(async () => {
    await rig('down');
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const start = (line: string) => {
    const [command = '', ...args] = line.split(' ');
    // Behind -- is what another command is told.
    const own = args.includes('--') ? args.indexOf('--') : args.length;
    const words = [command, ...args.slice(0, own), '--name', NAME, ...args.slice(own)];
    return execa(process.execPath, [MAIN, ...words], { cwd: folder, reject: false, stdin: 'ignore' });
  };

  /** What it printed; it has to exit with 0. */
  async function rig(line: string): Promise<string> {
    const { exitCode, stdout, stderr } = await start(line);
    expect({ line, exitCode, stderr }).toMatchObject({ exitCode: 0 });
    return stdout;
  }

  const ps = async (): Promise<Shown> => (JSON.parse(await rig('ps --json')) as [Shown])[0];
  const leaderIn = ({ members }: Shown): string | undefined =>
    members.find(({ leads, state }) => leads && state === 'running')?.member;

  const until = (what: string, holds: (shown: Shown) => boolean): Promise<Shown> => {
    let seen: Shown | undefined;
    return waitFor({
      clock,
      what,
      timeoutMs: 30_000,
      intervalMs: 250,
      probe: async () => {
        seen = await ps();
        return holds(seen) ? seen : undefined;
      },
      describe: () => JSON.stringify(seen),
    });
  };

  it('fails over when the leader is killed, and heals', async () => {
    const before = leaderIn(await until('an engine to lead', (shown) => leaderIn(shown) !== undefined));
    expect(await rig('kill leader')).toBe(`killed ${before}`);
    expect(await rig('ps')).toMatch(new RegExp(`\\ndown: ${before}$`));
    const after = await until('another to lead', (shown) => ![undefined, before].includes(leaderIn(shown)));
    expect(after.members.find(({ member }) => member === before)).toMatchObject({
      state: 'exited',
      roles: {},
    });
    expect(await rig('heal')).toBe(`started ${before}`);
  }, 60_000);

  it('cuts the leader off, and heals that from another process', async () => {
    const before = leaderIn(await until('an engine to lead', (shown) => leaderIn(shown) !== undefined));
    expect(await rig('partition leader')).toMatch(
      new RegExp(
        `^injected a partition \\(isolate\\) of leader \\(${before}\\): nothing arrives on 10 of 10 paths\n`,
      ),
    );
    const shown = await until('another to lead', (one) => ![undefined, before].includes(leaderIn(one)));
    expect(shown.faults).toEqual([expect.objectContaining({ id: 'partition', members: [before] })]);
    expect(await rig('heal')).toMatch(
      /^healed: a partition .* \(partition\): packets arrive on 10 of 10 paths$/,
    );
    expect((await ps()).faults).toEqual([]);
  }, 60_000);

  it('orders a volume, and tells its history by etcd', async () => {
    const created = JSON.parse(await rig('volume create first --size 0.25 --export consumer1=ro --json'));
    expect(created).toMatchObject({ name: 'first', state: 'ready', requested: { reserved_size: 0.25 } });
    const { events } = JSON.parse(await rig(`etcd history volumes/${created.id} --json`)) as {
      readonly events: readonly { readonly kind: string; readonly value: { readonly state: string } }[];
    };
    expect(events.map(({ value }) => value.state)).toEqual(expect.arrayContaining(['scheduling', 'ready']));
    expect(await rig(`exec ${created.node} -- ls /srv/cobalt/volumes`)).toContain(created.id);
  }, 60_000);

  it('heals what a rig has left that was killed, by its folder', async () => {
    const held = start('fault pause node1/agent --as frozen --for 600s');
    const isFrozen = ({ members }: Shown): boolean => members.some(({ roles }) => roles.agent === 'frozen');
    await until('the agent to be frozen', isFrozen);
    held.kill('SIGKILL');
    await held;
    const reaped = await execa(process.execPath, [MAIN, 'reap', `runs/up-${NAME}`], { cwd: folder });
    expect(reaped.stdout).toMatch(/^healed: pause the agent of node1 \(frozen\)/);
    expect(isFrozen(await ps())).toBe(false);
  }, 60_000);

  it('heals at Ctrl-C what was to last so long, and nothing else', async () => {
    await rig('pause node3/agent');
    const held = start('fault pause node2/agent --for 600s');
    let printed = '';
    held.stdout.on('data', (chunk) => {
      printed += chunk;
    });
    const probe = async () => (printed.includes('by Ctrl-C') ? true : undefined);
    await waitFor({ clock, what: 'it to be injected', timeoutMs: 30_000, probe, describe: () => printed });
    held.kill('SIGINT');
    const { exitCode, stdout } = await held;
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/\nhealed: pause the agent of node2 \(pause\): /),
    });
    const { members, faults } = await ps();
    expect(faults).toEqual([]);
    expect(members.filter(({ roles }) => roles.agent === 'frozen')).toMatchObject([{ member: 'node3' }]);
    expect(await rig('heal')).toBe('thawed agent of node3');
  }, 60_000);

  it('refuses a second cluster of its name', async () => {
    const { exitCode, stderr } = await start('up');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: expect.stringMatching(/there is a cluster/),
    });
  }, 60_000);

  it('says in one line what it can not do, and leaves nothing', async () => {
    const { exitCode, stderr } = await start('fault disk-slow node1');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 3,
      stderr: expect.stringMatching(/^rig: .*can't be had here: the disk of node1 is a plain one: .*$/),
    });
    expect(await rig('heal')).toBe('nothing to heal');
    expect(await rig('down')).toBe(`removed ${NAME}`);
    expect(await rig('down')).toMatch(new RegExp(`^there is no cluster '${NAME}'`));
    expect(readdirSync(join(folder, 'runs'))).toEqual([]);
  }, 60_000);
});
