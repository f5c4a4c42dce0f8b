// What a client has been told by the answers to its own calls, and nothing else.
// Of volumes that others have ordered it learns by lists.

import { z } from 'zod';
import type { WorkCall } from './call.ts';

const volumeSchema = z.object({
  id: z.string(),
  state: z.string(),
  node: z.string().nullable(),
  exports: z.array(z.object({ host: z.string(), access: z.enum(['rw', 'ro']) })),
});

const listSchema = z.object({ volumes: z.array(volumeSchema), next: z.string().nullable() });
const nodeSchema = z.object({ name: z.string(), draining: z.boolean() });

export type KnownVolume = z.output<typeof volumeSchema> & {
  /** Entity tag seen last; absent after one that was stale. */
  readonly etag?: string;
};

export interface Knowledge {
  readonly volumes: ReadonlyMap<string, KnownVolume>;
  /** Files whose writing was acknowledged to this client, by volume. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly draining: ReadonlySet<string>;
  /** Nodes that don't answer, with the time until which they are left alone. */
  readonly shunned: ReadonlyMap<string, number>;
}

export const NOTHING: Knowledge = {
  volumes: new Map(),
  files: new Map(),
  draining: new Set(),
  shunned: new Map(),
};

/** What came of a call. */
export type WorkAnswer =
  | {
      readonly kind: 'http';
      readonly status: number | undefined;
      readonly body: unknown;
      readonly etag?: string;
    }
  | { readonly kind: 'nfs'; readonly outcome: 'ok' | 'refused' | 'failed' | 'unknown' };

/** How long a client goes elsewhere after a call that got no proper answer. */
const SHUNNED_MS = 4_000;

export function learn(
  known: Knowledge,
  { call, answer, atMs }: { readonly call: WorkCall; readonly answer: WorkAnswer; readonly atMs: number },
): Knowledge {
  if (call.kind === 'http' && answer.kind === 'http') {
    const silent = answer.status === undefined || answer.status >= 500;
    const heard = silent ? shunning(known, call.node, atMs) : known;
    return call.path.startsWith('/nodes') ? learnNode(heard, call, answer) : learnVolume(heard, call, answer);
  }
  if (call.kind === 'http' || answer.kind === 'http') return known;
  if (answer.outcome === 'unknown' || answer.outcome === 'failed') return shunning(known, call.server, atMs);
  if (answer.outcome !== 'ok' || call.kind === 'nfs-read') return known;
  const files = new Set([...(known.files.get(call.volume) ?? []), call.file]);
  return { ...known, files: new Map(known.files).set(call.volume, [...files]) };
}

type HttpCall = Extract<WorkCall, { readonly kind: 'http' }>;
type HttpAnswer = Extract<WorkAnswer, { readonly kind: 'http' }>;

const shunning = (known: Knowledge, node: string, atMs: number): Knowledge => ({
  ...known,
  shunned: new Map(known.shunned).set(node, atMs + SHUNNED_MS),
});

function learnVolume(known: Knowledge, call: HttpCall, answer: HttpAnswer): Knowledge {
  const id = call.path.split('?')[0]?.split('/')[2];
  const { status, body, etag } = answer;
  if (id === undefined && call.method === 'GET') return learnList(known, body);
  if (id !== undefined && status === 404) return changed(known, (volumes) => volumes.delete(id));
  const told = volumeSchema.safeParse(body);
  if (told.success) {
    return changed(known, (volumes) =>
      volumes.set(told.data.id, { ...told.data, ...(etag !== undefined && { etag }) }),
    );
  }
  const stale = id === undefined ? undefined : known.volumes.get(id);
  if (status !== 412 || stale === undefined) return known;
  const { etag: _, ...rest } = stale;
  return changed(known, (volumes) => volumes.set(rest.id, rest));
}

/** A whole list also tells what there is no more. */
function learnList(known: Knowledge, body: unknown): Knowledge {
  const list = listSchema.safeParse(body);
  if (!list.success) return known;
  const { volumes, next } = list.data;
  // Of an ETag that a list doesn't show, whether it is still right shows when it is used.
  const merged = volumes.map(
    (volume) => [volume.id, { ...known.volumes.get(volume.id), ...volume }] as const,
  );
  return { ...known, volumes: new Map([...(next === null ? [] : known.volumes), ...merged]) };
}

function learnNode(known: Knowledge, call: HttpCall, { status, body }: HttpAnswer): Knowledge {
  const name = call.path.split('/')[2] ?? '';
  const told = nodeSchema.safeParse(body);
  const asked = (call.body as { readonly draining?: boolean } | undefined)?.draining;
  const isRefused = status !== undefined && status >= 400 && status < 500;
  // Nobody knows what became of a call without an answer: a drain that may have begun has to be ended.
  const drains = told.success ? told.data.draining : status === 304 ? asked : true;
  if (isRefused || (!told.success && asked === undefined)) return known;
  const draining = new Set(known.draining);
  if (drains) draining.add(name);
  else draining.delete(name);
  return { ...known, draining };
}

function changed(known: Knowledge, change: (volumes: Map<string, KnownVolume>) => void): Knowledge {
  const volumes = new Map(known.volumes);
  change(volumes);
  return { ...known, volumes };
}
