// A node's log: its lines go to the fleet's, and what it says of itself is counted.

import type { Log, LogFields } from '../base/log.ts';
import type { Figures } from './figures.ts';

export function observed(
  log: Log,
  fields: LogFields,
  onEvent: (event: string) => void,
  figures: Figures,
): Log {
  return {
    debug: (event, more) => log.debug(event, { ...fields, ...more }),
    info: (event, more) => {
      onEvent(event);
      log.info(event, { ...fields, ...more });
    },
    warn: (event, more) => {
      onEvent(event);
      figures.warnings += 1;
      log.warn(event, { ...fields, ...more });
    },
    error: (event, more) => {
      figures.errors += 1;
      log.error(event, { ...fields, ...more });
    },
    child: (more) => observed(log, { ...fields, ...more }, onEvent, figures),
  };
}
