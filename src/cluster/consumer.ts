// A consumer in the hands of a test: files on volumes, over NFS.

import { RigError } from '../base/errors.ts';
import type { Clients } from '../rig/clients.ts';
import type { IoAnswer } from '../rig/consumer/protocol.ts';
import type { NodeApi } from './node-api.ts';

export interface FilePlace {
  /** Its id. */
  readonly volume: string;
  /** A plain name: A-Z, a-z, 0-9, `.`, `_` and `-`. */
  readonly file: string;
  /** Node that is asked. Default: the one that has the volume. */
  readonly at?: string;
  /** User that the client says it is. Default: 0, root. */
  readonly uid?: number;
  /** Default: 5,000. */
  readonly timeoutMs?: number;
}

export interface ConsumerClient {
  /** IP address on the cluster's own network, for exports. */
  address(): Promise<string>;
  /**
   * Writes so many bytes (default 4,096) that follow from `content` (default: the place's name). Resolves, with their
   * digest, once the server has brought them to its disk. Throws `conflict` when it is refused, or when there is no room;
   * `io` when it certainly did not happen; `timeout` when nobody knows.
   */
  write(
    place: FilePlace & { readonly content?: string; readonly bytes?: number },
  ): Promise<{ readonly sha256: string }>;
  /** The digest of what is there. Throws as `write` does. */
  read(place: FilePlace): Promise<{ readonly sha256: string }>;
}

const DEFAULT_TIMEOUT_MS = 5_000;
const DEFAULT_BYTES = 4_096;

export function createConsumerClient(options: {
  readonly name: string;
  readonly clients: Clients;
  readonly address: () => Promise<string>;
  readonly api: NodeApi;
}): ConsumerClient {
  const { name, clients, address, api } = options;
  const perform = async (
    kind: 'nfs-write' | 'nfs-read',
    place: FilePlace,
    content?: { readonly name: string; readonly bytes: number },
  ): Promise<{ readonly sha256: string }> => {
    const { volume, file, at, uid, timeoutMs = DEFAULT_TIMEOUT_MS } = place;
    const server = at ?? (await api.volume(volume).read()).node;
    if (server === null) throw new RigError('unavailable', `volume ${volume} is on no node now`);
    const answer = await clients.file({
      process: `${name} ${kind} ${volume}/${file}`,
      kind,
      consumer: name,
      server,
      volume,
      file,
      uid,
      timeoutMs,
      ...(content && { content }),
    });
    if (answer.outcome === 'ok') return { sha256: answer.sha256 ?? '' };
    throw failed(answer, `${kind} of ${volume}/${file} at ${server} by ${name}`);
  };
  return {
    address,
    write: ({ content, bytes = DEFAULT_BYTES, ...place }) =>
      perform('nfs-write', place, { name: content ?? `${name}/${place.volume}/${place.file}`, bytes }),
    read: (place) => perform('nfs-read', place),
  };
}

function failed({ outcome, refused, full, detail }: IoAnswer, what: string): RigError {
  const words = `${what}: ${detail ?? outcome}`;
  if (outcome === 'refused' || refused === true || full === true) {
    return new RigError('conflict', words, { definite: outcome !== 'unknown' });
  }
  return outcome === 'failed'
    ? new RigError('io', words)
    : new RigError('timeout', words, { definite: false });
}
