// What an answer shows of a volume, and which part of that is the clients' own:
// the rest is changed by engines and agents whenever they like.

import { readInParts, UNREAD } from '../../../model/reader.ts';
import { type Volume, volumeSchema } from '../../../model/volume.ts';
import type { VolumeStep } from '../volume-history.ts';

/** What only clients change. A field that is undefined isn't known. */
export interface Promised {
  readonly name?: string | undefined;
  /** Empty: none. */
  readonly parent?: string | undefined;
  /** GiB, of what is requested. */
  readonly size?: number | undefined;
  /** As text, in one order; so are the next. */
  readonly constraints?: string | undefined;
  readonly exports?: string | undefined;
  readonly meta?: string | undefined;
}

/** The fields of {@link Promised}. */
export const FIELDS = ['name', 'parent', 'size', 'constraints', 'exports', 'meta'] as const;

export interface View {
  readonly id: string;
  readonly promised: Promised;
  readonly isDeleting: boolean;
  /** Stands for all that etcd holds of the volume: the same number for the same content. */
  readonly content: number;
  /** At which etcd held that, where it did at one alone. */
  readonly revision?: number | undefined;
}

/** An answer's volume and its ETag; either may be missing. */
export interface Answer {
  readonly view?: View | undefined;
  /** Modification revision. */
  readonly revision?: number | undefined;
}

export interface Views {
  /** The volume in a body, or in etcd; undefined when it isn't one. */
  of(body: unknown): View | undefined;
  /** Once all are there: gives each the revision at which etcd held it. */
  date(steps: readonly VolumeStep[]): void;
}

/** Views of one run: contents are numbered as they come. */
export function createViews(): Views {
  const byText = new Map<string, View | undefined>();
  const numbers = new Map<string, number>();
  const views: { -readonly [Field in keyof View]: View[Field] }[] = [];
  const parse = (body: unknown): View | undefined => {
    const { mount: _mount, ...stored } = body as Record<string, unknown>;
    const volume = volumeIn(stored);
    if (volume === undefined) return undefined;
    // The schema gives all fields an order of their own.
    const text = JSON.stringify(volume);
    const content = numbers.get(text) ?? numbers.size;
    numbers.set(text, content);
    const view = viewOf(volume, content);
    views.push(view);
    return view;
  };
  return {
    of: (body) => {
      if (typeof body !== 'object' || body === null) return undefined;
      // Lists show the same volumes over and over.
      const text = JSON.stringify(body);
      if (!byText.has(text)) byText.set(text, parse(body));
      return byText.get(text);
    },
    date: (steps) => {
      const revisions = new Map<number, number | undefined>();
      for (const { after, event, malformed } of steps) {
        if (after === undefined || malformed !== undefined) continue;
        const content = numbers.get(JSON.stringify(after));
        if (content !== undefined)
          revisions.set(content, revisions.has(content) ? undefined : event.revision);
      }
      for (const view of views) view.revision = revisions.get(view.content);
    },
  };
}

function volumeIn(json: unknown): Volume | undefined {
  const read = readInParts(volumeSchema, json);
  return read === UNREAD ? volumeSchema.safeParse(json).data : (read as Volume);
}

function viewOf(volume: Volume, content: number): View {
  const { id, name, meta, requested, exports, control, state } = volume;
  return {
    id,
    promised: {
      name,
      meta: textOf(meta),
      parent: control.parent_id ?? '',
      ...reserved(requested),
      exports: exportsText(exports),
    },
    isDeleting: state === 'deleting',
    content,
  };
}

/** What isn't named in a request stays as it is, or is not known. */
export function reserved(reservation: {
  readonly reserved_size?: number | undefined;
  readonly constraints?: Readonly<Record<string, string>> | undefined;
}): Promised {
  const { reserved_size: size, constraints } = reservation;
  return {
    ...(size !== undefined && { size }),
    ...(constraints !== undefined && { constraints: textOf(constraints) }),
  };
}

/** The order of the rules means nothing, and `none` is the default. */
export function exportsText(
  rules: readonly { readonly host: string; readonly access: string; readonly squash?: string }[],
): string {
  return rules
    .map(({ host, access, squash = 'none' }) => `${host} ${access} ${squash}`)
    .sort()
    .join(', ');
}

/** JSON with the keys of every object in order. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** The revision that an ETag names; undefined for any other text. */
export function revisionOf(etag: string | undefined): number | undefined {
  const digits = /^"(\d+)(?:-[^"]*)?"$/.exec(etag?.trim() ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}
