// Tells Prometheus whom to ask, for as long as it lives. Who was there once is asked on and on, so that it shows that
// it is gone; a node is asked until the cluster forgets it.
//
//   node main.ts --seeds node1:8080 --etcd etcd:2379 --front-door front-door:8404 --file /run/cobalt-metrics/targets.json

import { rename, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createSystemClock } from '../../base/clock.ts';
import { createLog } from '../../base/log.ts';
import { fetchHttp } from '../http.ts';
import { followNodes } from '../overlay/follow-nodes.ts';
import { type Endpoint, parseEndpoints } from '../overlay/nodes.ts';
import { createResolve } from '../overlay/resolve.ts';
import { findEtcd } from './find-etcd.ts';
import { formatTargets, type Targets } from './targets.ts';

const ROUND_MS = 2_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    etcd: { type: 'string' },
    'front-door': { type: 'string', default: 'front-door:8404' },
    file: { type: 'string', default: '/run/cobalt-metrics/targets.json' },
  },
});
const clock = createSystemClock();
const log = createLog({ write: (line) => process.stdout.write(line), nowMs: clock.nowMs });
const etcdSeeds = parseEndpoints(values.etcd ?? '');
const [frontDoor] = parseEndpoints(values['front-door']);
const resolve = createResolve();
const { signal } = new AbortController();
let targets: Targets = { nodes: [], etcd: [], frontDoor: undefined };

async function look(): Promise<void> {
  const [etcd, door] = await Promise.all([
    findEtcd({ fetch: fetchHttp, resolve }, [...targets.etcd, ...etcdSeeds]).catch(() => targets.etcd),
    resolve(frontDoor.host).then(
      (): Endpoint => frontDoor,
      () => targets.frontDoor,
    ),
  ]);
  targets = { ...targets, etcd, frontDoor: door };
}

async function keepFile(): Promise<never> {
  let written = '';
  for (;;) {
    await look();
    const text = formatTargets(targets);
    if (text !== written) {
      // Prometheus reads it at any moment.
      await writeFile(`${values.file}.new`, text);
      await rename(`${values.file}.new`, values.file);
      written = text;
      log.info('targets.written', { ...targets });
    }
    await clock.sleep(ROUND_MS);
  }
}

await Promise.all([
  keepFile(),
  followNodes({
    clock,
    fetch: fetchHttp,
    resolve,
    log,
    seeds: parseEndpoints(values.seeds ?? ''),
    signal,
    onNodes: (nodes) => {
      targets = { ...targets, nodes };
    },
  }),
]);
