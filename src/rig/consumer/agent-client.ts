// What is asked of the agent that mounts volumes (images/consumer-os/agent.pl): requests and
// answers on a connection, which is a process of its own there.

import { connect, type Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';

/** What the system said of a request that failed. */
export class AgentFailure extends Error {
  /** `EACCES`, `ESTALE` and so on. */
  readonly errno: string;

  constructor(errno: string, text: string) {
    super(`${errno}: ${text}`);
    this.name = 'AgentFailure';
    this.errno = errno;
  }
}

/** What a command wrote before its exit code came. */
export interface Output {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface AgentConnection {
  /**
   * Throws AgentFailure for what failed there, `timeout` where no answer came in time: the process is then killed, whatever
   * it waits for, and the connection is of no more use; `unavailable` where the connection broke.
   */
  ask(
    words: readonly string[],
    options: { readonly timeoutMs: number; readonly payload?: Buffer },
  ): Promise<Output & { readonly answer: Buffer }>;
  close(): void;
}

/** A mount that nobody answers is given up after so long, and what the agent does by itself takes no time. */
const AT_ONCE_MS = 5_000;

export interface AgentPlace {
  readonly clock: Clock;
  /** On 127.0.0.1. */
  readonly port: number;
}

/** Throws `unavailable` where no agent answers. */
export async function connectAgent(place: AgentPlace): Promise<AgentConnection> {
  const socket = connect({ host: '127.0.0.1', port: place.port, noDelay: true });
  const reader = createReader(socket);
  const within = <T>(work: Promise<T>, timeoutMs: number, onLate: () => void): Promise<T> => {
    const late = Promise.withResolvers<never>();
    const cancel = place.clock.after(timeoutMs, () => {
      onLate();
      socket.destroy();
      late.reject(new RigError('timeout', `no answer within ${timeoutMs} ms`, { definite: false }));
    });
    return Promise.race([work, late.promise]).finally(cancel);
  };
  const pid = await within(reader.line(), AT_ONCE_MS, () => undefined);
  const kill = (): void => {
    // On a connection of its own: this one's process hears nothing.
    void askOnce(place, ['kill', pid]).catch(() => undefined);
  };
  return {
    ask: (words, { timeoutMs, payload }) => {
      const size = payload === undefined ? [] : [String(payload.length)];
      socket.write(`${[...words, ...size].map(encodeURIComponent).join(' ')}\n`);
      if (payload !== undefined) socket.write(payload);
      return within(readAnswer(reader), timeoutMs, kill);
    },
    close: () => socket.destroy(),
  };
}

/** One request on a connection of its own. */
export async function askOnce(
  place: AgentPlace,
  words: readonly string[],
  timeoutMs: number = AT_ONCE_MS,
): Promise<Output & { readonly answer: Buffer }> {
  const connection = await connectAgent(place);
  try {
    return await connection.ask(words, { timeoutMs });
  } finally {
    connection.close();
  }
}

async function readAnswer(reader: Reader): Promise<Output & { readonly answer: Buffer }> {
  const outputs = { out: [] as Buffer[], err: [] as Buffer[] };
  for (;;) {
    const [kind = '', ...rest] = (await reader.line()).split(' ');
    const bytes = await reader.bytes(Number(rest.at(-1)));
    if (kind === 'out' || kind === 'err') outputs[kind].push(bytes);
    else if (kind === 'failed') throw new AgentFailure(rest[0] ?? 'EIO', bytes.toString('utf8').trim());
    else return { answer: bytes, stdout: Buffer.concat(outputs.out), stderr: Buffer.concat(outputs.err) };
  }
}

interface Reader {
  line(): Promise<string>;
  bytes(count: number): Promise<Buffer>;
}

/** One at a time. */
function createReader(socket: Socket): Reader {
  let pending = Buffer.alloc(0);
  let failure: RigError | undefined;
  let wake: () => void = () => undefined;
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    wake();
  });
  const fail = (cause?: unknown): void => {
    failure ??= new RigError('unavailable', 'the agent ended the connection', { definite: false, cause });
    wake();
  };
  socket.on('error', fail);
  socket.on('close', () => fail());
  /** Until `length` knows how much is wanted, and that is there. */
  const take = async (length: () => number | undefined): Promise<Buffer> => {
    for (;;) {
      const wanted = length();
      if (wanted !== undefined && pending.length >= wanted) {
        const taken = pending.subarray(0, wanted);
        pending = pending.subarray(wanted);
        return taken;
      }
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    line: async () => {
      const end = (): number | undefined => {
        const at = pending.indexOf('\n');
        return at < 0 ? undefined : at + 1;
      };
      return (await take(end)).toString('utf8').trimEnd();
    },
    bytes: (count) => take(() => count),
  };
}
