// What the body of a refusal says about why.

import type { Reason } from './scenario.ts';

/** True when the body, an error of the API, gives the reason in full: the numbers and ids, not just words. */
export function tellsReason(
  body: unknown,
  reason: Reason,
  { idOf }: { readonly idOf: (volume: string) => string },
): boolean {
  const error = (body as { readonly error?: Readonly<Record<string, unknown>> } | null)?.error;
  if ('usedBytes' in reason) {
    const used = error?.used_bytes;
    const { least, most } = reason.usedBytes;
    return typeof used === 'number' && used >= least && used <= most;
  }
  const clones = error?.volumes;
  const wanted = reason.clones.map(idOf);
  return (
    Array.isArray(clones) && clones.length === wanted.length && wanted.every((id) => clones.includes(id))
  );
}
