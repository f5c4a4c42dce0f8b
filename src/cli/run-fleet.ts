// Running a simulated cluster from the command line: what it prints, and how it ends.

import { join } from 'node:path';
import { createSystemClock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { LogLevel } from '../base/log.ts';
import { createSystemRandom } from '../base/random.ts';
import { waitFor } from '../base/retry.ts';
import { readEtcdAccess } from '../cluster/etcd-access.ts';
import { etcdPath } from '../cluster/processes.ts';
import type { FleetStatus } from '../fleet/answers.ts';
import { openLogFiles } from '../fleet/log-files.ts';
import { type RunningCluster, runCluster } from '../fleet/run.ts';
import { createHttpNetwork } from '../network/http.ts';
import { catchInterrupt } from './interrupt.ts';
import { keepHeapLean } from './lean-heap.ts';
import { printLine } from './output.ts';

export interface RunFleetOptions {
  readonly folder: string;
  readonly keepsDisks: boolean;
  readonly control: boolean;
  readonly port?: number | undefined;
  readonly logLevel: LogLevel;
  /** Ends it as soon as every node that has power is registered. */
  readonly untilRegistered?: boolean;
  /** How often a line tells how it is; it must be above 0. */
  readonly everyMs: number;
  /** Ends it after so long. Default: when somebody interrupts it. */
  readonly durationMs?: number | undefined;
}

/** All of them start within a heartbeat's period; on a machine that is busy they take longer. */
const REGISTERED_WITHIN_MS = 300_000;

/** Resolves when it was interrupted, or has done what it was to do. */
export async function runFleet(options: RunFleetOptions): Promise<void> {
  const { folder, everyMs, durationMs } = options;
  keepHeapLean();
  const clock = createSystemClock();
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  const done = new AbortController();
  const signal = AbortSignal.any([interrupt.signal, done.signal]);
  await using logs = openLogFiles({ folder: join(folder, 'logs'), clock, level: options.logLevel });
  let watching: Promise<void> = Promise.resolve();
  const begun = new AbortController();
  const endInTime = (unless: AbortSignal): void => {
    if (durationMs === undefined) return;
    void clock.sleep(durationMs, unless).then(
      () => done.abort(),
      () => undefined,
    );
  };
  const readAccess = (endpoints: readonly string[]) => {
    // One that is not there must not keep us longer than we were to run.
    endInTime(AbortSignal.any([signal, begun.signal]));
    return readEtcdAccess(endpoints);
  };
  const onRunning = (running: RunningCluster): void => {
    begun.abort();
    endInTime(signal);
    for (const line of whereabouts(running, folder)) printLine(line);
    watching = watch(running).finally(() => done.abort());
    // Awaited below; unheard until then it would end the process.
    watching.catch(() => undefined);
  };
  const watch = async (running: RunningCluster): Promise<void> => {
    if (options.untilRegistered === true) {
      await registered(running, clock, signal);
      return;
    }
    for (let before = running.status(); !signal.aborted; ) {
      await clock.sleep(everyMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      const now = running.status();
      printLine(statusLine(now, before, everyMs));
      before = now;
    }
  };
  try {
    await runCluster(
      {
        ...options,
        ...{ clock, random: createSystemRandom(), network: createHttpNetwork({ clock }), log: logs.log },
        readAccess,
        findEtcd: etcdPath,
        onProgress: printLine,
        onRunning,
      },
      signal,
    );
  } catch (error) {
    // Stopped before it ran, for which it waits for nothing but etcd.
    if (!hasCode(error, 'aborted')) throw error;
    if (!interrupt.signal.aborted) {
      throw new RigError('unavailable', `etcd did not answer within ${(durationMs ?? 0) / 1000} s`, {
        next: 'Start it, or name another with --etcd.',
        cause: error,
      });
    }
  }
  await watching;
}

async function registered(
  running: RunningCluster,
  clock: ReturnType<typeof createSystemClock>,
  signal: AbortSignal,
): Promise<void> {
  await waitFor({
    ...{ clock, signal, timeoutMs: REGISTERED_WITHIN_MS, intervalMs: 200 },
    what: 'every node that has power to register',
    probe: async () => running.isComplete() || undefined,
    describe: () => statusLine(running.status()),
  });
  printLine(statusLine(running.status()));
}

function whereabouts({ url, api, etcd, status }: RunningCluster, folder: string): readonly string[] {
  const { nodes } = status();
  return [
    `${nodes} nodes are being started`,
    `  etcd     ${etcd.join(', ')}`,
    `  API      ${api ?? 'of the cluster itself'}`,
    `  figures  ${url}/status, ${url}/metrics, ${url}/nodes/NAME/metrics`,
    `  change   rig sim scale NUMBER --state ${folder}, rig sim power off NAME --state ${folder}`,
    'Ctrl-C ends it.',
  ];
}

export function statusLine(now: FleetStatus, before?: FleetStatus, periodMs = 0): string {
  const rate =
    before === undefined || periodMs === 0
      ? ''
      : `, ${((1000 * (now.heartbeats - before.heartbeats)) / periodMs).toFixed(0)} heartbeats/s`;
  return (
    `${now.nodes} nodes, ${now.on} on, ${now.registered} registered${rate}, ` +
    `p99 ${now.heartbeatP99Ms.toFixed(1)} ms, ${now.lostLeases} leases lost, ${now.exports} exports` +
    `${now.etcdReachable ? '' : '; etcd is out of reach'}`
  );
}
