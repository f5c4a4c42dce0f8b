// A small virtual machine, for its kernel has an NFS client: QEMU with user-mode networking, so
// that servers see the consumer's own address, and no right is needed that a consumer hasn't got.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { askOnce } from './agent-client.ts';
import { HOST_AGENT } from './mount-protocol.ts';

const FOLDER = '/opt/vm';
/** Left by one that had booted; made with the image, and gone on from in software alone. */
const STATE = `${FOLDER}/state.zst`;
/** A real one takes less than a second; one that only seems to be there stops somewhere, in silence. */
const KVM_READY_MS = 3_000;
const READY_MS = 60_000;
const LAST_LINES = 5;
/** Inside of the machine: images/consumer-os/init.sh. */
const GUEST = { network: '198.18.0.0/24', address: '198.18.0.15', port: 7_000 } as const;
const RANDOM_BYTES = 32;

export type Accelerator = 'kvm' | 'tcg';

export interface Machine {
  readonly accelerator: Accelerator;
  readonly bootMs: number;
  /** Of the agent, on 127.0.0.1. */
  readonly port: number;
  /** Resolves when it has ended, with what it said last. */
  readonly ended: Promise<string>;
}

export interface MachineOptions {
  readonly clock: Clock;
  /** By which servers tell their clients apart. */
  readonly hostname: string;
  readonly port: number;
}

interface Start {
  readonly accelerator: Accelerator;
  readonly from: 'boot' | 'state';
}

/** By KVM where that really works, else in software, from a state where there is one. It ends with this process's container. Throws `unsupported` and `machine`. */
export async function bootMachine(options: MachineOptions): Promise<Machine> {
  if (!(await canOpen(`${FOLDER}/vmlinuz`, 'r'))) {
    throw new RigError('unsupported', 'this image has no virtual machine: it is made on amd64 alone');
  }
  const starts: readonly (Start | false)[] = [
    (await canOpen(`${FOLDER}/kvm`, 'r+')) && { accelerator: 'kvm', from: 'boot' },
    (await canOpen(STATE, 'r')) && { accelerator: 'tcg', from: 'state' },
    { accelerator: 'tcg', from: 'boot' },
  ];
  let failure: unknown;
  for (const start of starts.filter((each) => each !== false)) {
    try {
      return await boot(options, start);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

const canOpen = async (path: string, flags: 'r' | 'r+'): Promise<boolean> => {
  try {
    await (await open(path, flags)).close();
    return true;
  } catch {
    return false;
  }
};

async function boot({ clock, hostname, port }: MachineOptions, start: Start): Promise<Machine> {
  const { accelerator, from } = start;
  const startedMs = clock.monotonicMs();
  const child = spawn('sh', [`${FOLDER}/qemu.sh`, ...machineArguments(start, port)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  // It may have ended before it hears anything, and says why by itself.
  child.stdin.on('error', () => undefined);
  // Nobody is told that a machine goes on unless he has said that he speaks QEMU's protocol.
  if (from === 'state') child.stdin.write('{"execute": "qmp_capabilities"}\n');
  const ready = Promise.withResolvers<void>();
  const ended = lastWords(child, (line) => {
    if (from === 'boot' ? line === HOST_AGENT.ready : line.includes('"event": "RESUME"')) ready.resolve();
  });
  const readyMs = accelerator === 'kvm' ? KVM_READY_MS : READY_MS;
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(readyMs, () => late.reject(failed(`is not ready after ${readyMs} ms`)));
  try {
    await Promise.race([
      ready.promise,
      late.promise,
      ended.then((words) => Promise.reject(failed(`ended: ${words}`))),
    ]);
    const seconds = String(Math.round(clock.nowMs() / 1_000));
    await askOnce({ clock, port }, ['wake', hostname, seconds, randomBytes(RANDOM_BYTES).toString('hex')]);
  } catch (error) {
    child.kill('SIGKILL');
    // The next attempt listens at the same port.
    await ended;
    throw error;
  } finally {
    cancel();
  }
  return { accelerator, bootMs: Math.round(clock.monotonicMs() - startedMs), port, ended };
}

const failed = (words: string): RigError => new RigError('machine', `the virtual machine ${words}`);

/** Resolves once it has ended. */
function lastWords(child: ChildProcess, onLine: (line: string) => void): Promise<string> {
  const last: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      last.splice(0, last.length, ...last.slice(1 - LAST_LINES), line.trim());
      onLine(line.trim());
    });
  }
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => resolve([...last, `exit ${signal ?? code}`].join(' | ')));
  });
}

function machineArguments({ accelerator, from }: Start, port: number): readonly string[] {
  const forward = `hostfwd=tcp:127.0.0.1:${port}-${GUEST.address}:${GUEST.port}`;
  return [
    ...['-accel', accelerator === 'kvm' ? `kvm,device=${FOLDER}/kvm` : 'tcg'],
    ...['-netdev', `user,id=net,net=${GUEST.network},${forward}`],
    ...(from === 'boot'
      ? ['-serial', 'stdio']
      : [
          '-serial',
          'null',
          '-qmp',
          'stdio',
          '-incoming',
          `exec:zstd --decompress --stdout --quiet ${STATE}`,
        ]),
  ];
}
