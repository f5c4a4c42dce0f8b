// Following from a revision of the past: what comes after it is then told as events.

import { hasCode } from '../../base/errors.ts';
import type { Kv } from '../../kv/kv.ts';

/** The same store, but the first list of it is as of the revision, if it still has that. Undefined: as of now. */
export function startingFrom(kv: Kv, revision: number | undefined): Kv {
  let begun = revision === undefined || revision < 1;
  return {
    ...kv,
    list: async (prefix, options) => {
      if (begun || revision === undefined) return kv.list(prefix, options);
      try {
        // Its revision is where a watch goes on.
        const listed = { ...(await kv.list(prefix, { ...options, revision })), revision };
        begun = true;
        return listed;
      } catch (error) {
        if (!hasCode(error, 'compacted', 'invalid')) throw error;
        begun = true;
        return kv.list(prefix, options);
      }
    },
  };
}
