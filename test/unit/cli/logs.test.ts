import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../../src/cluster/root.ts';

let out: string;
let folder: string;
/** Everything that a log store was sent while the scenario ran. */
let shipped: string;

const rig = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execa(process.execPath, [join(ROOT_FOLDER, 'src/cli/main.ts'), ...args], { reject: false, env });
const logs = async (...args: readonly string[]) => (await rig(['logs', '--run', folder, ...args])).stdout;

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'logs-'));
  const store = createServer((socket) => socket.on('data', (data) => (shipped += data.toString())));
  shipped = '';
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  const ran = await rig(['run', 'export-created', '--mode', 'simulated', '--seed', '3', '--out', out], {
    LOGSTASH_HOST: '127.0.0.1',
    LOGSTASH_PORT: String(port),
  });
  expect([ran.exitCode, ran.stderr]).toEqual([
    0,
    expect.stringMatching(/^rig: \d+ log lines went to the log store/),
  ]);
  // Emitted when the last connection has ended, and with it all has been read.
  store.close();
  await once(store, 'close');
  folder = join(out, readdirSync(out)[0] ?? '');
}, 120_000);
afterAll(() => rmSync(out, { recursive: true }));

const parsed = (text: string): readonly Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

describe('rig logs', () => {
  it('prints the lines of all members in the order of time, without colours into a pipe', async () => {
    const text = await logs();
    const times = text.split('\n').map((line) => line.slice(0, 12));
    expect(times).toEqual([...times].sort());
    expect(new Set(text.split('\n').map((line) => line.split(/\s+/)[1]))).toEqual(
      new Set(['node1', 'node2', 'node3']),
    );
    expect(text).not.toContain('\x1b');
  });

  it('keeps what is asked for', async () => {
    const lines = parsed(await logs('node1', 'node2', '--role', 'engine', '--json'));
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines)
      expect(line).toMatchObject({ node: expect.stringMatching(/^node[12]$/), role: 'engine' });
    const about = parsed(await logs('--json')).find(({ volume }) => volume !== undefined)?.volume;
    const ofVolume = parsed(await logs('--json', '--volume', String(about)));
    expect(new Set(ofVolume.map(({ volume }) => volume))).toEqual(new Set([about]));
    expect(parsed(await logs('--json', '--level', 'error'))).toEqual([]);
  });

  it('has sent to the log store what it prints, and of which run it is', async () => {
    const sent = parsed(shipped);
    const times = ({ node, event, time }: Record<string, unknown>) => `${node} ${event} ${time}`;
    expect(sent.map(times).sort()).toEqual(
      parsed(await logs('--json'))
        .map(times)
        .sort(),
    );
    expect(new Set(sent.map(({ run }) => run))).toEqual(new Set([folder.slice(out.length + 1)]));
  });

  it.each<[string, string]>([
    ['node9', 'there are no logs of node9; there are some of node1, node2, node3'],
    ['--level loud', "there is no level 'loud'"],
    ['--role boss', "there is no role 'boss'"],
    ['--since yesterday', "'yesterday' is no time"],
    ['-f', 'are there only when it is over'],
    ['--name other', '--run and --name name two clusters'],
    ['--ship', 'there is no log store to send the logs to'],
  ])('refuses %s', async (args, words) => {
    const { exitCode, stderr } = await rig(['logs', '--run', folder, ...args.split(' ')], {
      LOGSTASH_HOST: '',
      LOGSTASH_PORT: '',
    });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(words)]);
  });

  it.each([
    [{ LOGSTASH_HOST: 'store' }, 'set LOGSTASH_PORT too'],
    [{ LOGSTASH_PORT: '5' }, 'set LOGSTASH_HOST too'],
    [{ LOGSTASH_HOST: 'store', LOGSTASH_PORT: '70000' }, 'which is no port'],
  ])('refuses the settings %j', async (env, words) => {
    const { exitCode, stderr } = await rig(['logs', '--run', folder, '--ship'], {
      LOGSTASH_HOST: '',
      LOGSTASH_PORT: '',
      ...env,
    });
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(words)]);
  });
});
