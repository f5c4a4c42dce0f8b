// Log lines about a volume have the trace id of the call that its work came from.

import type { Log, LogFields } from '../../base/log.ts';
import { volumeKey } from '../../kv/keys.ts';
import type { View } from '../../kv/view.ts';

/** Quotes in a name or a note are escaped, so that none can pass for it. */
const TRACE = /"control":\{.*"trace":"([0-9a-f]{32})"/;

/** `view`: of the volumes, as the agent knows them when the line is written; undefined before it knows any. */
export function tracedLog(log: Log, view: () => View | undefined): Log {
  const traced = (fields: LogFields = {}): LogFields => {
    const stored =
      typeof fields.volume === 'string' ? view()?.entries.get(volumeKey(fields.volume)) : undefined;
    // A line is no reason to parse all of the volume.
    const trace = TRACE.exec(stored?.value ?? '')?.[1];
    return trace === undefined ? fields : { ...fields, trace };
  };
  return {
    debug: (event, fields) => log.debug(event, traced(fields)),
    info: (event, fields) => log.info(event, traced(fields)),
    warn: (event, fields) => log.warn(event, traced(fields)),
    error: (event, fields) => log.error(event, traced(fields)),
    child: (fields) => tracedLog(log.child(fields), view),
  };
}
