// `rig bench cluster`: how long the cluster takes for what its users wait for, on
// real BTRFS and NFS. Creation is put beside the bare commands that make a
// subvolume on the same disk, taken in turns, because the machine is shared and noisy.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { openContainers } from '../cluster/containers.ts';
import { openKv } from '../cluster/open-kv.ts';
import { newRunId } from '../cluster/run-id.ts';
import { awaitReady } from '../rig/lifecycle.ts';
import { parseTopology } from '../rig/topology.ts';
import { type Bench, create, HOST, order } from './bench-calls.ts';
import { benchMoves } from './bench-moves.ts';
import { distribution, median } from './distribution.ts';
import { catchInterrupt } from './interrupt.ts';
import { followVolumes } from './volume-follower.ts';

const READY_WITHIN_MS = 60_000;
/** As many volumes as are ordered at once in the crowd. */
const CROWD = 200;

const TOPOLOGY = {
  nodes: ['node1', 'node2', 'node3'].map((name) => ({ name, capacityGib: 512 })),
  consumers: ['client1'],
};

export async function benchCluster({ rounds }: { readonly rounds: number }): Promise<void> {
  const clock = createSystemClock();
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-rig-'));
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  try {
    await using mode = await openContainers(clock, say);
    await using deployment = await mode.deploy({
      topology: parseTopology(TOPOLOGY, 'the benchmark'),
      runId: newRunId(),
      folder,
      absentAtStart: [],
      signal: interrupt.signal,
    });
    await awaitReady({ deployment, clock, timeoutMs: READY_WITHIN_MS, signal: interrupt.signal });
    const kv = openKv(await deployment.etcd());
    const following = followVolumes({ kv, clock, signal: interrupt.signal });
    try {
      const bench: Bench = { clock, deployment, volumes: following, rounds, say };
      await benchCreations(bench);
      await benchExports(bench);
      await benchMoves(bench);
      await benchCrowd(bench);
    } finally {
      await following.stop();
      await kv.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One at a time, in turns with the bare commands. */
async function benchCreations(bench: Bench): Promise<void> {
  const { rounds, say } = bench;
  const createdMs: number[] = [];
  const bareMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    bareMs.push(await bareCreation(bench, `bench-${round}`));
    createdMs.push((await create(bench, `create-${round}`)).elapsedMs);
  }
  say(`create to ready, exported:        ${distribution(createdMs)}`);
  say(`the bare btrfs commands and sync: ${distribution(bareMs)}`);
  say(`ratio of the medians:             ${(median(createdMs) / median(bareMs)).toFixed(2)}`);
}

async function benchCrowd(bench: Bench): Promise<void> {
  const startedMs = bench.clock.monotonicMs();
  const crowd = await Promise.all(
    Array.from({ length: CROWD }, (_, index) => create(bench, `crowd-${index}`)),
  );
  const allMs = bench.clock.monotonicMs() - startedMs;
  bench.say(
    `${CROWD} volumes ordered at once:      all ready after ${Math.round(allMs)} ms; each: ${distribution(crowd.map(({ elapsedMs }) => elapsedMs))}`,
  );
}

/** From the call to the agent's word that the server holds the new rules. */
async function benchExports(bench: Bench): Promise<void> {
  const { clock, volumes, rounds } = bench;
  const { volume } = await create(bench, 'exports');
  const effectiveMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const access = round % 2 === 0 ? 'ro' : 'rw';
    const startedMs = clock.monotonicMs();
    const rules = [{ ...HOST, access }];
    await order(bench, { method: 'PUT', path: `/volumes/${volume.id}/exports`, body: { exports: rules } });
    const { atMs } = await volumes.until(
      volume.id,
      'its exports to be applied',
      (now) => now?.actual?.exports[0]?.access === access,
    );
    effectiveMs.push(atMs - startedMs);
  }
  bench.say(`change of exports to effective:   ${distribution(effectiveMs)}`);
}

/** What the disk alone needs for a subvolume with a quota that a power cut can't take back. */
async function bareCreation({ deployment }: Bench, name: string): Promise<number> {
  const path = `/srv/cobalt/${name}`;
  const script = [
    'set -e',
    'start=$(date +%s%N)',
    `btrfs subvolume create ${path} > /dev/null`,
    `btrfs qgroup limit 1G ${path}`,
    'btrfs filesystem sync /srv/cobalt > /dev/null',
    'end=$(date +%s%N)',
    `btrfs subvolume delete ${path} > /dev/null`,
    'echo $(( (end - start) / 1000 ))',
  ].join('\n');
  const { exitCode, stdout, stderr } = await deployment.exec('node1', ['sh', '-c', script]);
  if (exitCode === 0) return Number(stdout.trim()) / 1000;
  throw new RigError('machine', `the bare commands ended with ${exitCode}: ${stderr.trim()}`);
}
