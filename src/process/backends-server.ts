// A node's modelled disk and NFS server, served to its agent over a Unix socket
// (base/remote-object.ts). They outlive the agent: what one life of it has done is there
// for the next.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { ARGUMENTS_HEADER, CALLER_HEADER, written } from '../base/remote-object.ts';
import type { ModelledDisk } from '../hardware/disk.ts';
import type { Exporter } from '../nfs/exporter.ts';
import { createMemoryExporter, type MemoryNfsServer } from '../nfs/memory.ts';
import { createMemoryStorage } from '../storage/memory.ts';
import type { Bytes, Storage } from '../storage/storage.ts';

/** What a call reads and writes, where that takes long: on a disk that is slow. */
const CALL_BYTES = 64 * 1024;
const LARGEST_CALL_BYTES = 1024 * 1024;

const STORAGE_CALLS: ReadonlySet<string> = new Set<keyof Storage>([
  ...([
    'space',
    'list',
    'find',
    'create',
    'setQuota',
    'clone',
    'rewrite',
    'copies',
    'freeze',
    'send',
  ] as const),
  ...(['receive', 'digest', 'adopt', 'discard', 'health', 'trash', 'purgeTrash', 'binding', 'bind'] as const),
]);
const EXPORTER_CALLS: ReadonlySet<string> = new Set<keyof Exporter>(['list', 'find', 'apply', 'remove']);

interface Backends {
  readonly storage: Storage;
  readonly exporter: Exporter;
}

type Method = (...args: readonly unknown[]) => unknown;

/** Until it is disposed of. */
export async function serveBackends(options: {
  readonly clock: Clock;
  readonly socketPath: string;
  readonly disk: ModelledDisk;
  readonly nfs: MemoryNfsServer;
}): Promise<AsyncDisposable> {
  let last: { readonly caller: string; readonly backends: Backends } | undefined;
  /** What an object has seen of the disk ends with the process that has it. */
  const backendsOf = (caller: string): Backends => {
    if (last?.caller !== caller) last = { caller, backends: openBackends(options) };
    return last.backends;
  };
  const onCall = (message: IncomingMessage, response: ServerResponse): void => {
    const caller = String(message.headers[CALLER_HEADER]);
    answer(message, response, () => methodAt(message.url ?? '', backendsOf(caller))).catch((error: unknown) =>
      refuse(response, error),
    );
  };
  const server = createServer(onCall).on('checkContinue', onCall);
  await listenAt(server, options.socketPath);
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function openBackends({
  clock,
  disk,
  nfs,
}: {
  readonly clock: Clock;
  readonly disk: ModelledDisk;
  readonly nfs: MemoryNfsServer;
}): Backends {
  const storage = createMemoryStorage({
    clock,
    disk: disk.disk,
    latencyMs: (call) => {
      disk.check(call);
      return disk.is('slow') ? disk.bytesMs(CALL_BYTES) : 0;
    },
  });
  return {
    storage,
    exporter: createMemoryExporter({ server: nfs, hasVolume: (id) => disk.disk.subvolumes.has(id) }),
  };
}

/** Throws `invalid` for a call that there is not. */
function methodAt(path: string, { storage, exporter }: Backends): Method {
  const [, object = '', method = ''] = path.split('/');
  const isStorage = object === 'storage' && STORAGE_CALLS.has(method);
  if (!isStorage && !(object === 'exporter' && EXPORTER_CALLS.has(method))) {
    throw new RigError('invalid', `there is no call ${path}`);
  }
  const found = (isStorage ? storage : exporter) as unknown as Readonly<Record<string, Method>>;
  return found[method] as Method;
}

async function answer(message: IncomingMessage, response: ServerResponse, find: () => Method): Promise<void> {
  const method = find();
  const sent = message.headers[ARGUMENTS_HEADER];
  if (sent !== undefined) {
    const args = JSON.parse(decodeURIComponent(String(sent))) as readonly unknown[];
    await method(...args, wanted(message, response));
    // Whoever has read as much as it wants leaves the end of it on its way.
    message.resume();
    return tell(response, {});
  }
  const args = JSON.parse(await textOf(message)) as readonly unknown[];
  const result = method(...args);
  if (isStream(result)) return stream(response, result);
  tell(response, { value: await result });
}

/** The caller sends nothing of it before it is read. */
async function* wanted(message: IncomingMessage, response: ServerResponse): AsyncGenerator<Uint8Array> {
  response.writeContinue();
  // To end the connection with the reading would end the call for who still sends.
  for await (const chunk of message.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
}

const isStream = (value: unknown): value is Bytes =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

/** What goes wrong at once is told; later, that the stream breaks off. */
async function stream(response: ServerResponse, bytes: Bytes): Promise<void> {
  const source = bytes[Symbol.asyncIterator]();
  const first = await source.next();
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  const all = async function* (): AsyncGenerator<Uint8Array> {
    for (let next = first; next.done !== true; next = await source.next()) yield next.value;
  };
  await pipeline(all, response).catch(() => response.destroy());
}

function tell(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, error: unknown): void {
  if (!response.headersSent) tell(response, { error: written(RigError.from(error, { code: 'io' })) });
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes > LARGEST_CALL_BYTES)
      throw new RigError('invalid', `a call of more than ${LARGEST_CALL_BYTES} bytes`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function listenAt(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new RigError('machine', `cannot listen at ${path}: ${cause.message}`, { cause })),
    );
    server.listen(path, resolve);
  });
}
