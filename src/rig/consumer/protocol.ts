// What the rig asks of a consumer, over HTTP: one operation on one file of one
// export, done by a real NFS client (libnfs).

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { fieldErrors } from '../../model/parse.ts';

/** Where a consumer listens, inside its container. */
export const CONSUMER_PORT = 9090;

/** A relative path of plain names; it goes into an NFS URL. */
const fileSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'must be a plain name of at most 128 characters');

/** What requests have in common. */
export const volumeParts = {
  /** Host name or IP address of the NFS server. */
  server: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,254}$/, 'must be a host name or an IP address'),
  /** The volume's id: the export is `/<volume>`. */
  volume: z.string().regex(/^v[0-9a-f]{16}$/, 'must be the id of a volume'),
  /** The client gives up after this long; nobody knows then whether a write happened. */
  timeoutMs: z.int().min(1).max(120_000),
  file: fileSchema,
};

/** User and group that the client says it is. Default: root. */
const uid = z.int().min(0).max(65_535).optional();

const ioRequestSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('nfs-write'),
    ...volumeParts,
    uid,
    /** Names the content: consumer/content.ts. */
    content: z.string().min(1).max(256),
    bytes: z
      .int()
      .min(1)
      .max(2 ** 30),
  }),
  z.strictObject({ kind: z.literal('nfs-read'), ...volumeParts, uid }),
]);

export type IoRequest = z.infer<typeof ioRequestSchema>;

export const parseIoRequest = (text: string): IoRequest => parseRequest(ioRequestSchema, text);

/** Throws `invalid`, naming every field at fault. */
export function parseRequest<T>(schema: z.ZodType<T>, text: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RigError('invalid', 'the request is not JSON', { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const faults = fieldErrors(result.error).map(({ path, message }) => `${path || 'the request'} ${message}`);
  throw new RigError('invalid', faults.join('; '));
}

/**
 * `ok`: the server acknowledged it. `refused`: the server denied access, and
 * nothing happened. `failed`: it certainly did not happen. `unknown`: no answer
 * in time, or it broke off after it had begun.
 */
export interface IoAnswer {
  readonly outcome: 'ok' | 'refused' | 'failed' | 'unknown';
  /** With `unknown`: what broke it off was that the server denied access. */
  readonly refused?: boolean;
  /** With `unknown`: what broke it off was that the volume, by its quota, or the disk is full. */
  readonly full?: boolean;
  /** With `failed`, of a read: the volume was mounted, and had no such file. */
  readonly absent?: boolean;
  /** Digest of what was read or written. */
  readonly sha256?: string;
  /** Through an open file: the node that it is open at, which may not be where the volume is mounted by now. */
  readonly server?: string;
  /** The client's own words when it wasn't ok. */
  readonly detail?: string;
}
