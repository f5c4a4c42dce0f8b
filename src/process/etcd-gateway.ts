// One call on one member of etcd, by its JSON gateway (etcd 3.4 and later: /v3/...),
// where keys and values are base64 and whole numbers decimal digits.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';

const failureSchema = z.object({ error: z.string(), code: z.int().optional() });

/** What gRPC calls NotFound, and OutOfRange (its codes.proto). */
export const NOT_FOUND = 5;
export const OUT_OF_RANGE = 11;

/** The answer; or of a call that etcd refuses with one of these codes: that code. */
export type Answered<T> = { readonly body: T } | { readonly refused: number };

/** Throws `unavailable` when there is no answer in time, or one that is no answer to that. */
export async function askEtcd<T>(
  url: string,
  call: {
    readonly path: string;
    readonly body: unknown;
    readonly schema: z.ZodType<T>;
    readonly timeoutMs: number;
    /** Refusals that are answers, too. Default: none. */
    readonly definite?: readonly number[];
  },
): Promise<Answered<T>> {
  const { path, body, schema, timeoutMs, definite = [] } = call;
  let text: string;
  let ok: boolean;
  try {
    const response = await fetch(`${url}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    ok = response.ok;
    text = await response.text();
  } catch (cause) {
    throw new RigError('unavailable', `${path} at ${url}: ${(cause as Error).message}`, {
      definite: false,
      cause,
    });
  }
  const json = parsed(text);
  if (ok) return { body: schema.parse(json) };
  const failure = failureSchema.safeParse(json);
  const code = failure.data?.code;
  if (code !== undefined && definite.includes(code)) return { refused: code };
  throw new RigError('unavailable', `${path} at ${url}: ${failure.data?.error ?? text.slice(0, 200)}`, {
    definite: false,
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
