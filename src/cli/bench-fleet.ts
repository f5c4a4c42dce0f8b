// How many agents one process and one etcd carry, what they cost, and where that ends; and how
// soon the engine has seen to the death of many.

import { join } from 'node:path';
import { execa } from 'execa';
import { RigError } from '../base/errors.ts';
import { ROOT_FOLDER } from '../cluster/root.ts';
import type { DeathsResult } from './bench-fleet-deaths.ts';
import type { StepOptions } from './bench-fleet-measuring.ts';
import type { StepResult } from './bench-fleet-step.ts';
import { catchInterrupt } from './interrupt.ts';

const DEATHS_AMONG = 2000;
/** Beyond the TTL. */
const RESCHEDULED_WITHIN_SECONDS = 5;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

export interface BenchFleetOptions {
  readonly agents: readonly number[];
  readonly heartbeat: number;
  readonly seconds: number;
  readonly deaths: boolean;
}

export async function benchFleet({ agents, heartbeat, seconds, deaths }: BenchFleetOptions): Promise<void> {
  using interrupt = catchInterrupt(() => process.stderr.write('\nstopping\n'));
  const { signal } = interrupt;
  print(
    `${seconds} s each with a heartbeat every ${heartbeat} s, one etcd and one process of agents on this machine`,
  );
  print('agents  all there  heartbeats/s  p50 ms  p99 ms  missed  agents’ cores  etcd’s cores  KiB a node');
  let broken: string | undefined;
  for (const nodes of agents) {
    const result = await step<StepResult>({ nodes, heartbeat, seconds, deaths: false }, signal);
    print(row(result));
    broken ??= breakOf(result);
  }
  print(broken === undefined ? `holds up to ${agents.at(-1)} agents` : `breaks at ${broken}`);
  if (deaths)
    print(
      deathsText(await step<DeathsResult>({ nodes: DEATHS_AMONG, heartbeat, seconds, deaths: true }, signal)),
    );
}

async function step<T>(options: StepOptions, signal: AbortSignal): Promise<T> {
  const args = ['bench', 'fleet-step', '--options', JSON.stringify(options)];
  const { stdout, exitCode, stderr } = await execa(
    process.execPath,
    [join(ROOT_FOLDER, 'src/cli/main.ts'), ...args],
    { reject: false, cwd: ROOT_FOLDER, cancelSignal: signal, killSignal: 'SIGINT' },
  );
  if (exitCode === 0) return JSON.parse(stdout) as T;
  if (signal.aborted) throw new RigError('aborted', 'interrupted');
  throw new RigError('machine', `the measurement with ${options.nodes} agents failed: ${stderr.slice(-500)}`);
}

function row(result: StepResult): string {
  return [
    String(result.nodes).padStart(6),
    `${result.registeredSeconds.toFixed(1)} s`.padStart(10),
    result.heartbeatsPerSecond.toFixed(0).padStart(13),
    result.p50Ms.toFixed(1).padStart(7),
    result.p99Ms.toFixed(1).padStart(7),
    String(result.lostLeases).padStart(7),
    result.agentCores.toFixed(2).padStart(14),
    result.etcdCores.toFixed(2).padStart(13),
    result.kibPerNode.toFixed(0).padStart(11),
  ].join(' ');
}

function breakOf({ nodes, registered, lostLeases }: StepResult): string | undefined {
  if (registered < nodes) return `${nodes} agents: only ${registered} are registered`;
  if (lostLeases > 0) return `${nodes} agents: ${lostLeases} leases were lost`;
  return undefined;
}

function deathsText(result: DeathsResult): string {
  const { nodes, dead, volumes, ttlSeconds, rescheduledSeconds, readySeconds } = result;
  const seconds = (time: number | null): string => (time === null ? 'not in time' : `${time.toFixed(1)} s`);
  const bound = ttlSeconds + RESCHEDULED_WITHIN_SECONDS;
  return (
    `${dead} of ${nodes} nodes die with ${volumes} volumes that they have not created yet: ` +
    `given to others after ${seconds(rescheduledSeconds)} (bound: a TTL of ${ttlSeconds} s and ${RESCHEDULED_WITHIN_SECONDS} s, ` +
    `${rescheduledSeconds !== null && rescheduledSeconds <= bound ? 'held' : 'missed'}), all ready after ${seconds(readySeconds)}`
  );
}
