// An object that lives in another process, called over a Unix socket: what a node's
// hardware is for a daemon whose disk and NFS server are only modelled (.env.template,
// COBALT_BACKENDS_SOCKET). A call is an HTTP request: its arguments and its answer are
// JSON, but for the bytes of a stream. For backends only.

import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { abortError } from './clock.ts';
import { type ErrorCode, RigError } from './errors.ts';

/** Whoever calls, so that the other side can tell one life of a process from the next. */
export const CALLER_HEADER = 'x-cobalt-caller';
/** Arguments of a call whose body is a stream. */
export const ARGUMENTS_HEADER = 'x-cobalt-arguments';

export interface RemoteObject {
  /** Rejects with what the other side threw, `unavailable` when it can't be reached, `aborted` when the signal fires. */
  call(method: string, args: readonly unknown[], signal?: AbortSignal): Promise<unknown>;
  /** A call that answers with a stream. */
  read(method: string, args: readonly unknown[]): AsyncGenerator<Uint8Array>;
  /** A call that takes a stream, whose own error it rejects with. */
  write(method: string, args: readonly unknown[], bytes: AsyncIterable<Uint8Array>): Promise<void>;
}

export interface RemoteObjectOptions {
  readonly socketPath: string;
  /** Its name there. */
  readonly object: string;
  readonly caller: string;
}

const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  definite: z.boolean(),
  next: z.string().optional(),
});

/** An error as it goes over the socket. */
export const written = ({ code, message, definite, next }: RigError): z.input<typeof failureSchema> => ({
  code,
  message,
  definite,
  ...(next !== undefined && { next }),
});

/** Of a call that answers with undefined neither is there. */
const answerSchema = z.object({ error: failureSchema.optional(), value: z.unknown().optional() });

export function createRemoteObject(options: RemoteObjectOptions): RemoteObject {
  const { socketPath, object, caller } = options;
  const open = (method: string, headers: Record<string, string>, signal?: AbortSignal) =>
    request({
      socketPath,
      method: 'POST',
      path: `/${object}/${method}`,
      headers: { [CALLER_HEADER]: caller, ...headers },
      agent: false,
      ...(signal !== undefined && { signal }),
    });
  const lost = (method: string, cause: unknown): RigError =>
    new RigError('unavailable', `${object}.${method}: ${(cause as Error).message}`, {
      definite: false,
      cause,
    });

  const begin = async (
    method: string,
    { args, signal }: { readonly args: readonly unknown[]; readonly signal?: AbortSignal | undefined },
  ): Promise<IncomingMessage> => {
    if (signal?.aborted) throw abortError(signal);
    try {
      const outgoing = open(method, {}, signal).end(JSON.stringify(args));
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      return response;
    } catch (cause) {
      throw signal?.aborted ? abortError(signal) : lost(method, cause);
    }
  };

  return {
    call: async (method, args, signal) => {
      const response = await begin(method, { args, signal });
      try {
        return answerIn(await textOf(response));
      } catch (cause) {
        if (cause instanceof RigError) throw cause;
        throw signal?.aborted ? abortError(signal) : lost(method, cause);
      }
    },
    read: async function* (method, args) {
      const response = await begin(method, { args });
      if (response.headers['content-type'] === 'application/json') {
        answerIn(await textOf(response));
        return;
      }
      try {
        for await (const chunk of response) yield chunk as Uint8Array;
      } catch (cause) {
        throw new RigError('io', `${object}.${method}: ${(cause as Error).message}`, { cause });
      }
    },
    write: async (method, args, bytes) => {
      let broken: { readonly thrown: unknown } | undefined;
      const watched = async function* (): AsyncGenerator<Uint8Array> {
        try {
          yield* bytes;
        } catch (thrown) {
          broken = { thrown };
          throw thrown;
        }
      };
      // Whoever refuses the call does so before any of the stream is read, here or there.
      const expecting = {
        expect: '100-continue',
        // Whoever has read enough answers while we still send, and must not end the connection by that.
        connection: 'keep-alive',
        [ARGUMENTS_HEADER]: encodeURIComponent(JSON.stringify(args)),
      };
      const outgoing = open(method, expecting);
      const answered = once(outgoing, 'response').then(([response]) => textOf(response as IncomingMessage));
      const sent = once(outgoing, 'continue')
        .then(() => pipeline(watched, outgoing))
        .then(
          () => answered,
          () => answered,
        );
      outgoing.flushHeaders();
      try {
        answerIn(await Promise.race([answered, sent]));
      } catch (cause) {
        if (broken !== undefined) throw RigError.from(broken.thrown, { code: 'io' });
        throw cause instanceof RigError ? cause : lost(method, cause);
      } finally {
        outgoing.destroy();
      }
    },
  };
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function answerIn(text: string): unknown {
  const { error, value } = answerSchema.parse(JSON.parse(text));
  if (error === undefined) return value;
  const { code, message, definite, next } = error;
  throw new RigError(code as ErrorCode, message, { definite, ...(next !== undefined && { next }) });
}
