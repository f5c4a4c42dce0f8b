// One measurement of a fleet, in a process of its own: what its memory was before would
// count for the next.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createLog } from '../base/log.ts';
import { createSystemRandom } from '../base/random.ts';
import { etcdPath } from '../cluster/processes.ts';
import { createCluster } from '../fleet/cluster-file.ts';
import { type RunningCluster, runCluster } from '../fleet/run.ts';
import { createHttpNetwork } from '../network/http.ts';
import { type DeathsResult, rescheduled } from './bench-fleet-deaths.ts';
import { allRegistered, type Measuring, type StepOptions } from './bench-fleet-measuring.ts';
import { clusterOf } from './fleet-options.ts';
import { catchInterrupt } from './interrupt.ts';
import { keepHeapLean } from './lean-heap.ts';

/** Cores are those of one processor; of a step that broke, what was seen by then. */
export interface StepResult {
  readonly nodes: number;
  readonly registered: number;
  readonly registeredSeconds: number;
  readonly heartbeatsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly lostLeases: number;
  readonly failedHeartbeats: number;
  readonly agentCores: number;
  readonly etcdCores: number;
  readonly kibPerNode: number;
}

export async function benchFleetStep(options: StepOptions): Promise<void> {
  keepHeapLean();
  const folder = await mkdtemp(join(tmpdir(), 'bench-fleet-'));
  const clock = createSystemClock();
  using interrupt = catchInterrupt(() => undefined);
  const done = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, done.signal]);
  let measuring: Promise<StepResult | DeathsResult> | undefined;
  try {
    await createCluster(
      folder,
      await clusterOf({
        ...{ nodes: options.nodes, heartbeat: options.heartbeat, prefix: 'bench', profile: 'plain' },
        ...{ sharedDevices: 0, seenBy: 2 },
      }),
    );
    const rssBefore = process.memoryUsage.rss();
    await runCluster(
      {
        ...{ folder, clock, random: createSystemRandom(), network: createHttpNetwork({ clock }) },
        ...{ keepsDisks: false, control: options.deaths, findEtcd: etcdPath },
        log: createLog({ write: () => undefined, nowMs: clock.nowMs, level: 'error' }),
        onProgress: (what) => void process.stderr.write(`${what}\n`),
        onRunning: (running) => {
          const measure = options.deaths ? rescheduled : window;
          measuring = measure({ ...options, running, clock, signal, rssBefore });
          void measuring.finally(() => done.abort()).catch(() => undefined);
        },
      },
      signal,
    );
    process.stdout.write(`${JSON.stringify(await measuring)}\n`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function window(measuring: Measuring): Promise<StepResult> {
  const { running, clock, signal, seconds, heartbeat, nodes, rssBefore } = measuring;
  const { figures } = running.world;
  const startedMs = clock.monotonicMs();
  await allRegistered(measuring);
  const registeredSeconds = (clock.monotonicMs() - startedMs) / 1000;
  // What the start has put off is done in the first period.
  await clock.sleep(heartbeat * 1000, signal);
  const lostBefore = figures.lostLeases;
  const failedBefore = figures.failedHeartbeats;
  figures.heartbeats.reset();
  const cpuBefore = process.cpuUsage();
  const [etcdBefore, fromMs] = [await etcdCpuSeconds(running, clock), clock.monotonicMs()];
  await clock.sleep(seconds * 1000, signal);
  const tookSeconds = (clock.monotonicMs() - fromMs) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    nodes,
    registered: running.status().registered,
    registeredSeconds,
    heartbeatsPerSecond: figures.heartbeats.count / tookSeconds,
    p50Ms: figures.heartbeats.quantile(0.5),
    p99Ms: figures.heartbeats.quantile(0.99),
    lostLeases: figures.lostLeases - lostBefore,
    failedHeartbeats: figures.failedHeartbeats - failedBefore,
    agentCores: (user + system) / 1e6 / tookSeconds,
    etcdCores: ((await etcdCpuSeconds(running, clock)) - etcdBefore) / tookSeconds,
    kibPerNode: (process.memoryUsage.rss() - rssBefore) / 1024 / nodes,
  };
}

/** etcd's own account of its processor time. */
async function etcdCpuSeconds({ etcd }: RunningCluster, clock: Clock): Promise<number> {
  const network = createHttpNetwork({ clock });
  const { body } = await network.call({ method: 'GET', url: `${etcd[0]}/metrics`, timeoutMs: 10_000 });
  const [, value] = /^process_cpu_seconds_total (\S+)$/m.exec(body) ?? [];
  if (value === undefined)
    throw new RigError('machine', `${etcd[0]}/metrics doesn't tell its processor time`);
  return Number(value);
}
