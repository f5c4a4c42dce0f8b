// Failpoints that a test switches while the daemon runs, by a file. Only a daemon
// whose settings name the file (COBALT_FAILPOINTS_FILE) ever looks at it.

import { readFile } from 'node:fs/promises';
import { type FailpointActions, parseFailpoints } from '../base/failpoints.ts';
import type { Log } from '../base/log.ts';

/** What the file says now; `otherwise` while it isn't there. One that can't be read switches nothing on. */
export function switchedByFile(options: {
  readonly path: string;
  readonly log: Log;
  readonly otherwise: FailpointActions;
}): () => Promise<FailpointActions> {
  const { path, log, otherwise } = options;
  let last: { readonly text: string; readonly actions: FailpointActions } | undefined;
  return async () => {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (text === undefined) {
      last = undefined;
      return otherwise;
    }
    // The same answer for the same text: how often each was reached is counted by it.
    if (last?.text !== text) last = { text, actions: parsed(text, log) };
    return last.actions;
  };
}

function parsed(text: string, log: Log): FailpointActions {
  try {
    return parseFailpoints(text.trim());
  } catch (error) {
    log.error('failpoints.unreadable', { cause: error });
    return {};
  }
}
