// Changing a volume: read, decide, write if nobody wrote meanwhile. A lost
// compare is decided anew from a fresh read, or answered with 409.

import { volumeKey } from '../../kv/keys.ts';
import type { Compare, Write } from '../../kv/kv.ts';
import type { Author } from '../../model/changes.ts';
import type { Volume } from '../../model/volume.ts';
import { type ApiContext, type ApiResponse, problem } from './route.ts';
import { etagOf, matches, readVolume, type Stored, writtenResponse } from './stored.ts';

export function authorOf({ node, clock, trace }: ApiContext): Author {
  return { writer: { role: 'api', node, term: null }, nowMs: clock.nowMs(), trace };
}

/** What to do about the volume that was read: write another, or answer at once. */
export type Decision =
  | {
      readonly write: Volume;
      /** What else must hold, and is written with it. */
      readonly also?: { readonly compare: readonly Compare[]; readonly writes: readonly Write[] };
    }
  | { readonly answer: ApiResponse };

export interface ChangeOptions {
  readonly id: string;
  /** How often to decide anew after a lost compare, the first time included. */
  readonly attempts: number;
  readonly ifMatch?: string | undefined;
  readonly decide: (stored: Stored<Volume>) => Decision | Promise<Decision>;
}

/** Fresh reads of a change that doesn't depend on what else has changed. */
export const INDEPENDENT_ATTEMPTS = 5;

/** Answers 202 with the volume as written, 404, 412, 409 after the last attempt, or what was decided. */
export async function changeVolume(context: ApiContext, options: ChangeOptions): Promise<ApiResponse> {
  const { id, ifMatch } = options;
  for (let attempt = 0; attempt < options.attempts; attempt += 1) {
    const stored = await readVolume(context, id);
    if (stored === undefined) return missingVolume(id);
    if (!matches(ifMatch, stored.modRevision)) {
      return problem(412, 'stale', `Volume ${id} is at ${etagOf(stored.modRevision)}; read it again.`);
    }
    const decision = await options.decide(stored);
    if ('answer' in decision) return decision.answer;
    const { write, also = { compare: [], writes: [] } } = decision;
    const { succeeded, revision } = await context.kv.transact({
      compare: [{ key: volumeKey(id), target: 'mod', equals: stored.modRevision }, ...also.compare],
      writes: [{ kind: 'put', key: volumeKey(id), value: JSON.stringify(write) }, ...also.writes],
    });
    if (succeeded) return writtenResponse(context, { value: write, modRevision: revision });
  }
  return problem(409, 'conflict', `Volume ${id} was changed meanwhile; read it and try again.`);
}

export const missingVolume = (id: string): ApiResponse =>
  problem(404, 'not_found', `There is no volume ${id}.`);

export function wrongState(volume: Volume, what: string): ApiResponse {
  const wait =
    volume.state === 'deleting' ? '' : '; wait until it is ready, or has an error in control.error';
  return problem(409, 'conflict', `Volume ${volume.id} can't be ${what} while it is ${volume.state}${wait}.`);
}

/** Nothing to do. RFC 9110 wants the ETag and no body. */
export function unchanged({ modRevision }: Stored<unknown>): ApiResponse {
  return { status: 304, headers: { etag: etagOf(modRevision) } };
}

/** The same of a volume, whose ETag depends on its node as well. */
export async function unchangedVolume(context: ApiContext, stored: Stored<Volume>): Promise<ApiResponse> {
  const { headers = {} } = await writtenResponse(context, stored);
  return { status: 304, headers };
}
