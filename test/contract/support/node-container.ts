// A node container without a daemon, and the real backends inside it, driven
// from outside by calls over the stdio of one process (bridge.ts).

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';
import { type ErrorCode, RigError } from '../../../src/base/errors.ts';
import type { Exporter } from '../../../src/nfs/exporter.ts';
import type { Copy, Storage } from '../../../src/storage/storage.ts';
import { testImage } from '../../support/images.ts';
import type { Nfs4Client } from './nfs4.ts';
import type { Transfer } from './transfer.ts';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
/** Beneath the image's node_modules, so that imports find them. */
const SOURCES = '/opt/cobalt/contract';

export interface BridgeCall {
  readonly id: number;
  readonly target: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

export interface BridgeAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly definite: boolean };
}

export interface TestNode extends AsyncDisposable {
  readonly storage: Storage;
  readonly exporter: Exporter;
  /** A storage whose root is a folder without a disk. */
  readonly misplaced: Storage;
  /** Another disk, once {@link mountSecondDisk} has made it. */
  readonly second: Storage;
  mountSecondDisk(): Promise<void>;
  /** What needs streams, from the first disk to the second and back. */
  readonly streams: {
    transfer(options: Transfer): Promise<number>;
    transferBack(options: Transfer): Promise<number>;
    abandon(copy: Copy): Promise<number>;
  };
  /** Calls of the first disk with a signal, which `abort` fires. */
  readonly abortable: Pick<Storage, 'digest' | 'rewrite'> & { abort(): Promise<void> };
  /** An NFS client in the node itself, from this address of 127.0.0.0/8. */
  nfs(localAddress: string): Omit<Nfs4Client, 'close'>;
  /** Ends the connections of those clients; the next call makes new ones. */
  disconnect(): Promise<void>;
  /** Runs a bash script in the node; throws if it fails. Answers with what it printed. */
  run(script: string): Promise<string>;
  readonly ipAddress: string;
}

/** Takes about three seconds. The container and its disk go with the disposal, or with this process. */
export async function startTestNode(): Promise<TestNode> {
  const container = await new NodeContainer(testImage('node'))
    .withAddedCapabilities('SYS_ADMIN', 'DAC_READ_SEARCH', 'NET_ADMIN')
    .withSecurityOpt('seccomp=unconfined', 'apparmor=unconfined')
    .withEnvironment({ COBALT_DISK_GIB: '2' })
    .withCommand(['sleep', 'infinity'])
    .withCopyDirectoriesToContainer([
      { source: `${REPOSITORY}/src`, target: `${SOURCES}/src` },
      { source: `${REPOSITORY}/test/contract/support`, target: `${SOURCES}/test/contract/support` },
    ])
    .withWaitStrategy(
      Wait.forSuccessfulCommand('mountpoint -q /srv/cobalt && btrfs qgroup show /srv/cobalt && pidof sleep'),
    )
    .start();
  const bridge = openBridge(container);
  const proxy = <T extends object>(target: string): T =>
    new Proxy({} as T, {
      get: (_, method) => {
        // Awaiting the proxy itself must not look like a promise.
        if (typeof method !== 'string' || method === 'then') return undefined;
        return (...args: readonly unknown[]) => bridge.call(target, method, args);
      },
    });
  const run = async (script: string): Promise<string> => {
    const ended = (await bridge.call('shell', '', [script])) as { exitCode: number; output: string };
    if (ended.exitCode === 0) return ended.output;
    throw new Error(`'${script}' ended with ${ended.exitCode}: ${ended.output}`);
  };
  return {
    storage: proxy<Storage>('storage'),
    second: proxy<Storage>('second'),
    mountSecondDisk: async () => {
      // Which one is free is the whole machine's affair, and not all have a node here.
      await run(
        `for n in $(seq 0 255); do [ -e /dev/loop$n ] || mknod -m 660 /dev/loop$n b 7 $n; done
         cd /var/lib/cobalt && mkdir -p /srv/second && truncate -s 2G second.img && mkfs.btrfs -q second.img &&
         mount -o loop second.img /srv/second && btrfs quota enable /srv/second`,
      );
    },
    streams: proxy<TestNode['streams']>('streams'),
    abortable: proxy<TestNode['abortable']>('abortable'),
    exporter: proxy<Exporter>('exporter'),
    misplaced: proxy<Storage>('misplaced'),
    nfs: (localAddress) => proxy<Nfs4Client>(`nfs:${localAddress}`),
    disconnect: async () => {
      await bridge.call('disconnect', '', []);
    },
    run,
    ipAddress: ipAddressOf(container),
    [Symbol.asyncDispose]: async () => {
      bridge.close();
      await container.stop({ timeout: 0, remove: true, removeVolumes: true });
    },
  };
}

export interface TestConsumer extends AsyncDisposable {
  readonly ipAddress: string;
  /** Runs a shell script with libnfs's tools at hand. */
  run(script: string): Promise<{ readonly exitCode: number; readonly output: string }>;
}

/** A container of another host, which has libnfs's nfs-cp, nfs-cat and nfs-ls. */
export async function startTestConsumer(): Promise<TestConsumer> {
  const container = await new GenericContainer(testImage('consumer'))
    .withEntrypoint(['sleep'])
    .withCommand(['infinity'])
    .start();
  return {
    ipAddress: ipAddressOf(container),
    run: (script) => container.exec(['sh', '-c', script]),
    [Symbol.asyncDispose]: async () => {
      await container.stop({ timeout: 0, remove: true, removeVolumes: true });
    },
  };
}

/** testcontainers has no option for the loop devices that BTRFS needs. */
class NodeContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    this.hostConfig.DeviceCgroupRules = ['b 7:* rmw', 'c 10:237 rmw'];
  }
}

function ipAddressOf(container: StartedTestContainer): string {
  const [network = ''] = container.getNetworkNames();
  return container.getIpAddress(network);
}

interface Bridge {
  call(target: string, method: string, args: readonly unknown[]): Promise<unknown>;
  close(): void;
}

function openBridge(container: StartedTestContainer): Bridge {
  const script = `${SOURCES}/test/contract/support/bridge.ts`;
  const process_: ChildProcess = spawn('docker', ['exec', '-i', container.getId(), 'node', script]);
  const waiting = new Map<number, (answer: BridgeAnswer) => void>();
  let words = '';
  let ended: BridgeAnswer['error'];
  let lastId = 0;
  process_.stderr?.on('data', (chunk: Buffer) => {
    words += chunk.toString();
  });
  process_.on('close', () => {
    ended = { code: 'machine', message: `the bridge ended: ${words}`, definite: false };
    for (const [id, settle] of waiting) settle({ id, error: ended });
    waiting.clear();
  });
  if (process_.stdout !== null) {
    createInterface({ input: process_.stdout }).on('line', (line) => {
      const answer = JSON.parse(line) as BridgeAnswer;
      waiting.get(answer.id)?.(answer);
      waiting.delete(answer.id);
    });
  }
  return {
    call: async (target, method, args) => {
      const id = ++lastId;
      const answer = await new Promise<BridgeAnswer>((resolve) => {
        if (ended !== undefined) return resolve({ id, error: ended });
        waiting.set(id, resolve);
        process_.stdin?.write(`${JSON.stringify({ id, target, method, args } satisfies BridgeCall)}\n`);
      });
      if (answer.error === undefined) return answer.result;
      throw new RigError(answer.error.code, answer.error.message, { definite: answer.error.definite });
    },
    close: () => process_.stdin?.end(),
  };
}
