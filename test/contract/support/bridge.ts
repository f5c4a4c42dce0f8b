// Runs inside a node container: takes calls on stdin, a JSON object a line, and
// carries them out on the real backends. It ends with its stdin.

import { execFile } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createSystemClock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
import { createGaneshaExporter } from '../../../src/nfs/ganesha.ts';
import { createBtrfsStorage } from '../../../src/storage/btrfs.ts';
import type { Copy, Storage } from '../../../src/storage/storage.ts';
import { connectNfs4, type Nfs4Client } from './nfs4.ts';
import type { BridgeAnswer, BridgeCall } from './node-container.ts';
import { abandon, type Transfer, transfer } from './transfer.ts';

const ROOT = '/srv/cobalt';
const SECOND_ROOT = '/srv/second';
const clock = createSystemClock();
const clients = new Map<string, Promise<Nfs4Client>>();

/** Fires for the calls that were made through `abortable`. */
let abort = new AbortController();

const storage = createBtrfsStorage({ root: ROOT, clock });
const second = createBtrfsStorage({ root: SECOND_ROOT, clock });

const targets: Readonly<Record<string, object>> = {
  storage,
  second,
  streams: {
    transfer: (options: Transfer) => transfer(options, { from: storage, to: second }),
    transferBack: (options: Transfer) => transfer(options, { from: second, to: storage }),
    abandon: (copy: Copy) => abandon(copy, storage),
  },
  abortable: {
    digest: (copy: Copy) => storage.digest(copy, abort.signal),
    rewrite: (options: Parameters<Storage['rewrite']>[0]) =>
      storage.rewrite({ ...options, signal: abort.signal }),
    abort: () => {
      abort.abort();
      abort = new AbortController();
    },
  },
  exporter: createGaneshaExporter({ root: ROOT, clock }),
  misplaced: createBtrfsStorage({ root: '/srv', clock }),
};

/** The NFS client that comes from this address of the loopback network. */
function clientOf(localAddress: string): Promise<Nfs4Client> {
  const known = clients.get(localAddress) ?? connectNfs4({ localAddress });
  clients.set(localAddress, known);
  known.catch(() => clients.delete(localAddress));
  return known;
}

function shell(script: string): Promise<{ readonly exitCode: number; readonly output: string }> {
  return new Promise((resolve) => {
    execFile('bash', ['-c', script], { timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}

async function perform({ target, method, args }: BridgeCall): Promise<unknown> {
  if (target === 'shell') return shell(String(args[0]));
  if (target === 'disconnect') {
    for (const client of clients.values()) (await client).close();
    clients.clear();
    return null;
  }
  const object = target.startsWith('nfs:') ? await clientOf(target.slice(4)) : targets[target];
  const found: unknown = object?.[method as keyof typeof object];
  if (typeof found !== 'function') throw new RigError('internal', `the bridge has no ${target}.${method}`);
  return found.call(object, ...args);
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line) as BridgeCall;
  const answer = (rest: Omit<BridgeAnswer, 'id'>): void => {
    process.stdout.write(`${JSON.stringify({ id: call.id, ...rest })}\n`);
  };
  perform(call).then(
    (result) => answer({ result }),
    (thrown: unknown) => {
      const { code, message, definite } = RigError.from(thrown, { code: 'io' });
      answer({ error: { code, message, definite } });
    },
  );
}
process.exit(0);
