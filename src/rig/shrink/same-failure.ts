// Whether two runs fail alike: a smaller one that fails in another way shows something else.

import type { Verdict } from '../history.ts';

/** By the same check; of expectations it must be the same one that was missed first. */
export const isSameFailure = (one: Verdict, other: Verdict): boolean =>
  other.verdict === 'invalid' &&
  one.check === other.check &&
  (one.check !== 'expectations' || worded(one) === worded(other));

/** Without numbers and ids, which are others each time. */
const worded = ({ reason }: Verdict): string => reason.replaceAll(/[0-9a-f]{16,}|[0-9.]+/g, '#');
