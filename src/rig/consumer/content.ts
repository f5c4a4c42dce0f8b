// What clients write: bytes that a name and a length decide, so that both ends
// know the digest without sending the content.

import { createCipheriv, createHash } from 'node:crypto';

const NO_NONCE = Buffer.alloc(16);

/** `bytes` reproducible bytes; different names give unrelated content. */
export function contentOf(options: { readonly name: string; readonly bytes: number }): Buffer {
  const key = createHash('sha256').update(options.name).digest();
  // A key stream: nothing makes reproducible bytes faster.
  return createCipheriv('aes-256-ctr', key, NO_NONCE).update(Buffer.alloc(options.bytes));
}

/** SHA-256, in lower-case hexadecimal digits. */
export function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

const known = new Map<string, string>();
/** Who writes asks for the same digest once or twice, and soon. */
const MOST_KNOWN = 64;

/** Of {@link contentOf} the same; remembered for a while, since to make the content takes long. */
export function digestOfContent(options: { readonly name: string; readonly bytes: number }): string {
  const key = `${options.bytes} ${options.name}`;
  const digest = known.get(key) ?? digestOf(contentOf(options));
  const [oldest] = known.size >= MOST_KNOWN ? known.keys() : [];
  if (oldest !== undefined) known.delete(oldest);
  known.set(key, digest);
  return digest;
}
