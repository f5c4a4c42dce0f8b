// The cluster's secret: what its agents and APIs know each other by. It is made
// by whoever needs it first, lives in etcd, and is never logged.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { hex, type Random } from '../base/random.ts';
import { SECRET_KEY } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';

const SECRET_DIGITS = 64;
const secretSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** Reads the secret, and makes it if there is none. Throws `invalid` for a malformed one, and as the store does. */
export async function ensureSecret(options: { readonly kv: Kv; readonly random: Random }): Promise<string> {
  const { kv, random } = options;
  const found = await findSecret(kv);
  if (found !== undefined) return found;
  const value = hex(random, SECRET_DIGITS);
  const { succeeded } = await kv.transact({
    compare: [{ key: SECRET_KEY, target: 'create', equals: 0 }],
    writes: [{ kind: 'put', key: SECRET_KEY, value }],
  });
  // Somebody else was faster, and theirs holds.
  return succeeded ? value : ensureSecret(options);
}

async function findSecret(kv: Kv): Promise<string | undefined> {
  const found = (await kv.get(SECRET_KEY)).kv;
  return found === undefined ? undefined : checked(found.value);
}

export interface Secret {
  /** From etcd once, and from memory from then on; made if there is none. */
  get(): Promise<string>;
  /** The same, but none is made: undefined then. */
  find(): Promise<string | undefined>;
  /** It didn't fit: the next one to ask reads it anew. */
  forget(): void;
}

export function createSecret(options: { readonly kv: Kv; readonly random: Random }): Secret {
  let known: Promise<string> | undefined;
  return {
    get: () => {
      known ??= ensureSecret(options).catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      return known;
    },
    find: async () => {
      if (known !== undefined) return known;
      const found = await findSecret(options.kv);
      if (found !== undefined) known = Promise.resolve(found);
      return found;
    },
    forget: () => {
      known = undefined;
    },
  };
}

/** The message doesn't quote it. */
function checked(value: string): string {
  if (secretSchema.safeParse(value).success) return value;
  throw new RigError('invalid', `${SECRET_KEY} is not ${SECRET_DIGITS} hexadecimal digits`, {
    next: `Delete the key: a new secret is made at once.`,
  });
}
