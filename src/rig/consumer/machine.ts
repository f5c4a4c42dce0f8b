// A small virtual machine, for its kernel has an NFS client: QEMU with user-mode networking, so
// that servers see the consumer's own address, and no right is needed that a consumer hasn't got.

import { type ChildProcess, spawn } from 'node:child_process';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { HOST_AGENT } from './mount-protocol.ts';

const FOLDER = '/opt/vm';
/** Twice what the kernel and the agent need: the rest is for what people run in it. */
const MEMORY_MIB = 128;
/** A real one takes less than a second; one that only seems to be there stops somewhere, in silence. */
const KVM_READY_MS = 3_000;
const READY_MS = 60_000;
const LAST_LINES = 5;
/** Inside of the machine: images/consumer-os/init.sh. */
const GUEST = { network: '198.18.0.0/24', address: '198.18.0.15', port: 7_000 } as const;

/** What a boot in software is spared: to ward off attacks, to measure what QEMU knows, and to look for what isn't there. */
const KERNEL_ARGUMENTS =
  'console=ttyS0 quiet panic=-1 mitigations=off lsm=capability audit=0 random.trust_cpu=on nokaslr no_timer_check';

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

/** By KVM where that really works, else in software. It ends with this process's container. Throws `unsupported` and `machine`. */
export async function bootMachine(options: MachineOptions): Promise<Machine> {
  if (!(await canOpen(`${FOLDER}/vmlinuz`, 'r'))) {
    throw new RigError('unsupported', 'this image has no virtual machine: it is made on amd64 alone');
  }
  const attempts: readonly Accelerator[] = (await canOpen(`${FOLDER}/kvm`, 'r+')) ? ['kvm', 'tcg'] : ['tcg'];
  let failure: unknown;
  for (const accelerator of attempts) {
    try {
      return await boot(options, accelerator);
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

async function boot({ clock, hostname, port }: MachineOptions, accelerator: Accelerator): Promise<Machine> {
  const startedMs = clock.monotonicMs();
  const child = spawn(`${FOLDER}/bin/qemu-system-x86_64`, machineArguments({ accelerator, hostname, port }), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { LD_LIBRARY_PATH: `${FOLDER}/lib` },
  });
  const ready = Promise.withResolvers<void>();
  const ended = lastWords(child, (line) => {
    if (line === HOST_AGENT.ready) ready.resolve();
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

export function machineArguments(options: {
  readonly accelerator: Accelerator;
  readonly hostname: string;
  readonly port: number;
}): readonly string[] {
  const { accelerator, hostname, port } = options;
  return [
    ...['-L', `${FOLDER}/share`, '-M', 'q35', '-cpu', 'max', '-m', String(MEMORY_MIB)],
    ...['-accel', accelerator === 'kvm' ? `kvm,device=${FOLDER}/kvm` : 'tcg'],
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-serial', 'stdio'],
    '-netdev',
    `user,id=net,net=${GUEST.network},hostfwd=tcp:127.0.0.1:${port}-${GUEST.address}:${GUEST.port}`,
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-kernel', `${FOLDER}/vmlinuz`, '-initrd', `${FOLDER}/initramfs`],
    ...['-append', `${KERNEL_ARGUMENTS} rig.hostname=${hostname}`],
  ];
}
