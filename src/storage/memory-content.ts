// What a subvolume of the modelled disk holds, and what becomes of it in a stream: enough for a move to
// be checked by its content, and for a torn or baseless stream to fail as a real one does.

import { createHash } from 'node:crypto';
import { RigError } from '../base/errors.ts';
import type { Compression } from '../model/volume.ts';
import type { Bytes } from './storage.ts';

export interface MemoryContent {
  /** What the content takes on the disk. Tests set it to stand for what clients have written. */
  usedBytes: number;
  /** Contents of files by their paths; tests write to it. Not counted in `usedBytes`. */
  readonly files: Map<string, string>;
  compression: Compression;
}

/** What is left of a byte on the modelled disk. */
const RATIOS: Readonly<Record<Compression, number>> = { none: 1, lzo: 0.625, zlib: 0.5, 'zstd:3': 0.375 };

export function emptyContent(): MemoryContent {
  return { usedBytes: 0, files: new Map(), compression: 'none' };
}

/** The same, with a life of its own. */
export function copyOf({ usedBytes, files, compression }: MemoryContent): MemoryContent {
  return { usedBytes, files: new Map(files), compression };
}

/** Rewrites all of it; `usedBytes` changes by the ratio of the two. */
export function recompress(content: MemoryContent, compression: Compression): void {
  content.usedBytes = Math.round((content.usedBytes * RATIOS[compression]) / RATIOS[content.compression]);
  content.compression = compression;
}

/** Names and contents, each with its length before it, so that none can pass for another. */
export function digestOf({ files }: MemoryContent): string {
  const hash = createHash('sha256');
  for (const path of [...files.keys()].sort()) {
    for (const text of [path, files.get(path) ?? '']) hash.update(`${text.length}:${text}`);
  }
  return hash.digest('hex');
}

interface Header {
  readonly usedBytes: number;
  readonly compression: Compression;
  /** Digest of the copy that the rest is a difference to; null when it is everything. */
  readonly base: string | null;
}

/** A line of a stream: its beginning, a file's new content (null: gone), or its end. */
type Line =
  | { readonly begin: Header }
  | { readonly file: readonly [string, string | null] }
  | { readonly end: string };

/** The content as a stream of lines, a chunk each: whole, or what differs from `base`. */
export function* encode(content: MemoryContent, base: MemoryContent | undefined): Generator<Uint8Array> {
  const { usedBytes, compression, files } = content;
  yield line({ begin: { usedBytes, compression, base: base === undefined ? null : digestOf(base) } });
  for (const [path, text] of files) if (base?.files.get(path) !== text) yield line({ file: [path, text] });
  for (const path of base?.files.keys() ?? []) if (!files.has(path)) yield line({ file: [path, null] });
  yield line({ end: digestOf(content) });
}

/** Reads such a stream; `io` when it is torn or damaged, or when `bases` don't have its base. */
export async function decode(stream: Bytes, bases: () => readonly MemoryContent[]): Promise<MemoryContent> {
  let content: MemoryContent | undefined;
  for await (const read of linesOf(stream)) {
    if ('begin' in read) {
      content = beginning(read.begin, bases());
      continue;
    }
    if (content === undefined) throw new RigError('io', 'the stream has no beginning');
    if ('end' in read) {
      if (digestOf(content) === read.end) return content;
      throw new RigError('io', 'the stream is damaged');
    }
    const [path, text] = read.file;
    if (text === null) content.files.delete(path);
    else content.files.set(path, text);
  }
  throw new RigError('io', 'the stream ended before its end');
}

function beginning({ usedBytes, compression, base }: Header, bases: readonly MemoryContent[]): MemoryContent {
  const found = bases.find((candidate) => digestOf(candidate) === base);
  if (base !== null && found === undefined) throw new RigError('io', 'the base of the stream is not here');
  return { usedBytes, compression, files: new Map(found?.files) };
}

function line(content: Line): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(content)}\n`);
}

async function* linesOf(stream: Bytes): AsyncGenerator<Line> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const whole = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = whole.pop() ?? '';
    for (const text of whole) yield parsed(text);
  }
}

function parsed(text: string): Line {
  try {
    return JSON.parse(text) as Line;
  } catch (error) {
    throw new RigError('io', 'the stream is damaged', { cause: error });
  }
}
