// Logs of a cluster in containers while it is there: followed over a restart, and sent to a log store.

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { type Cluster, eventually, startCluster } from '../../src/index.ts';
import { LOGS_FOLDER, readLogRecords } from '../../src/rig/record-files.ts';

type Line = Readonly<Record<string, unknown>>;

let cluster: Cluster;
let folder: string;
/** What the log store got. */
let shipped = '';
const store = createServer((socket) => socket.on('data', (data) => (shipped += data.toString())));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-logs-'));
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  const { port } = store.address() as AddressInfo;
  Object.assign(process.env, { LOGSTASH_HOST: '127.0.0.1', LOGSTASH_PORT: String(port) });
  cluster = await startCluster({ topology: { nodes: [{ name: 'node1' }] }, folder });
}, 120_000);

afterAll(async () => {
  await cluster?.teardown();
  store.close();
  rmSync(folder, { recursive: true, force: true });
});

const parsed = (text: string): readonly Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
const named = (lines: readonly Line[], event: string): readonly Line[] =>
  lines.filter((line) => line.event === event);

it('are followed, and shipped, over the death of a node; the record has the same in the end', async () => {
  const args = ['logs', '--follow', '--json', '--run', folder, 'node1', 'etcd'];
  const following = execa(process.execPath, [join(ROOT_FOLDER, 'src/cli/main.ts'), ...args], {
    reject: false,
  });
  const followed: Line[] = [];
  createInterface({ input: following.stdout }).on('line', (line) => followed.push(JSON.parse(line)));
  await eventually(() => named(followed, 'api.listening').length === 1, { withinMs: 30_000 });
  await cluster.kill('node1');
  await cluster.start('node1');
  await cluster.waitFor();
  await eventually(() => named(followed, 'api.listening').length, {
    until: (count) => count === 2,
    withinMs: 30_000,
  });
  const volume = await cluster.api('node1').createVolume({ name: 'traced', sizeGib: 1 });
  const { trace } = (await volume.becomeReady()).control;
  const traced = () => new Set(followed.filter((line) => line.trace === trace).map(({ role }) => role));
  await eventually(() => traced().size === 3, { what: 'a line of every role with the trace of the call' });
  following.kill('SIGINT');
  expect(await following).toMatchObject({ exitCode: 0, stderr: '' });

  await cluster.teardown();
  const recorded = [...(await readLogRecords(join(folder, LOGS_FOLDER))).values()].flat();
  const key = ({ node, time, event, text }: Line): string => [node, time, event, text].join(' ');
  expect(new Set(recorded.map(({ node }) => node))).toEqual(new Set(['etcd', 'node1']));
  expect(new Set(parsed(shipped).map(key))).toEqual(new Set(recorded.map(key)));
  const known = new Set(recorded.map(key));
  expect(followed.filter((line) => !known.has(key(line)))).toEqual([]);
  expect(new Set(followed.map(key)).size).toBe(followed.length);
}, 120_000);
