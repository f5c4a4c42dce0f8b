// A consumer's kernel mounts, as the rig asks for them.

import { z } from 'zod';
import { type ErrorCode, RigError } from '../base/errors.ts';
import type {
  MountChange,
  MountedBy,
  MountRequest,
  MountState,
  RunAnswer,
  RunRequest,
} from './consumer/mount-protocol.ts';
import type { Deployment } from './deployment.ts';
import { linesOf } from './sse.ts';

/** What boots and then waits for a server. */
const MOUNTS_WITHIN_MS = 100_000;
const ANSWERS_WITHIN_MS = 15_000;
const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  404: 'not_found',
  409: 'conflict',
  501: 'unsupported',
};

/** Every call throws `unavailable` where the consumer doesn't answer, `unsupported` where it can't mount, and `io` where that failed. */
export interface MountClient {
  /** Resolves when nothing has to be booted any more to mount. */
  prepare(): Promise<MountedBy>;
  /** Throws `conflict` where something is mounted already. */
  mount(request: MountRequest): Promise<MountState>;
  /** Throws `not_found`. */
  unmount(volume: string): Promise<MountState>;
  list(): Promise<readonly MountState[]>;
  /** Where the mounts are. */
  run(request: RunRequest): Promise<RunAnswer>;
  /** All so far, and from then on as they come. Ends with the consumer, or with the signal, by an error. */
  changes(signal: AbortSignal): AsyncGenerator<MountChange>;
}

export function createMountClient(options: {
  readonly fetch: Deployment['fetch'];
  /** Of the consumer. */
  readonly url: () => Promise<string>;
  readonly consumer: string;
}): MountClient {
  const { fetch, url, consumer } = options;
  const ask = async <T>(method: string, path: string, body?: unknown, withinMs = ANSWERS_WITHIN_MS) => {
    const response = await fetch(`${await url()}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      timeoutMs: withinMs,
    }).catch((cause: unknown) => {
      throw new RigError('unavailable', `${consumer} does not answer ${method} ${path}`, {
        next: 'See rig ps, and rig logs for what it says.',
        cause,
      });
    });
    const answer = await response.json();
    if (response.status === 200) return answer as T;
    const { error } = errorSchema.parse(answer);
    throw new RigError(CODES[response.status] ?? 'io', `${consumer}: ${error}`);
  };
  return {
    prepare: async () => (await ask<{ by: MountedBy }>('POST', '/machine', {}, MOUNTS_WITHIN_MS)).by,
    mount: (request) => ask('POST', '/mounts', request, MOUNTS_WITHIN_MS),
    unmount: (volume) => ask('DELETE', `/mounts/${volume}`),
    list: () => ask('GET', '/mounts'),
    run: (request) => ask('POST', '/run', request, request.timeoutMs + MOUNTS_WITHIN_MS),
    changes: async function* (signal) {
      const response = await fetch(`${await url()}/mounts/changes`, { signal });
      if (response.body === null) throw new RigError('unavailable', `${consumer} tells of no mounts`);
      for await (const line of linesOf(response.body)) yield JSON.parse(line) as MountChange;
    },
  };
}

const errorSchema = z.object({ error: z.string() });
