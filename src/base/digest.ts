// Digests and authentication codes: the one place that computes them, so that
// code without access to Node's own modules can.

import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto';

/** HMAC-SHA256 of the text (UTF-8), as 64 hexadecimal digits. */
export function hmacSha256(key: string, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}

/** SHA-256 of the text (UTF-8), as 64 hexadecimal digits. */
export function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

/** Compares without telling by its time how much is the same. */
export function isSameSecret(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export interface Measured {
  /** The same bytes; to be read once. */
  readonly stream: AsyncIterable<Uint8Array>;
  readonly bytes: () => number;
  /** SHA-256 of what has passed so far, as 64 hexadecimal digits. */
  readonly sha256: () => string;
}

/** Counts and digests a stream while it passes. */
export function measured(source: AsyncIterable<Uint8Array>): Measured {
  const digest = createHash('sha256');
  let bytes = 0;
  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      digest.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  return { stream: pass(), bytes: () => bytes, sha256: () => digest.copy().digest('hex') };
}
