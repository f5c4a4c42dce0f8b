// What the engine says about what it did.

import type { Log } from '../../base/log.ts';
import type { Action } from './action.ts';
import type { Outcome } from './apply.ts';

const EVENTS: Readonly<Record<Action['kind'], string>> = {
  assign: 'volume.assigned',
  unassign: 'volume.unassigned',
  grant: 'volume.granted',
  clone: 'volume.clone-granted',
  move: 'volume.move-granted',
  cancel: 'volume.move-cancelled',
  'cancel-clone': 'volume.clone-cancelled',
  settle: 'volume.settled',
  delay: 'volume.delayed',
  retry: 'volume.retried',
  drop: 'volume.deleted',
};

export function logOutcome(
  log: Log,
  { term, action, outcome }: { readonly term: number; readonly action: Action; readonly outcome: Outcome },
): void {
  const { id, control } = action.volume;
  const fields = { term, volume: id, trace: control.trace ?? undefined };
  if (outcome.kind === 'fenced') {
    log.warn('engine.fenced', fields);
    return;
  }
  if (outcome.kind !== 'written') {
    log.debug(`engine.${outcome.kind}`, { ...fields, action: action.kind });
    return;
  }
  log.info(EVENTS[action.kind], { ...fields, ...detailsOf(action) });
}

function detailsOf(action: Action): Readonly<Record<string, unknown>> {
  const { node: from, control } = action.volume;
  switch (action.kind) {
    case 'assign':
      return { to: action.node, from };
    case 'unassign':
      return { from, reason: action.reason };
    case 'clone':
      return { parent: control.parent_id, to: action.node };
    case 'move':
      return { cause: action.cause, to: action.node, from };
    case 'cancel':
    case 'cancel-clone':
    case 'delay':
      return { reason: action.reason };
    case 'retry':
      return { failures: control.error_count, to: action.node, from };
    default:
      return {};
  }
}
