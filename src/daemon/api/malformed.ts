// What becomes of a stored value that can't be read: one such value must not hide
// all the others, so lists leave it out, and the log says which it is.

import type { Log } from '../../base/log.ts';
import type { KeyValue } from '../../kv/kv.ts';

export const malformedTo =
  (log: Log) =>
  ({ key }: KeyValue, cause: unknown): void =>
    log.error('stored.malformed', { key, cause });
