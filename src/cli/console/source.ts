// What a console is of, as its server needs it.

import type { FaultForm } from '../../rig/console/fault-form.ts';
import type { ConsoleKind } from '../../rig/console/items.ts';
import type { KeyHistory } from '../../rig/console/key-history.ts';
import type { Order } from '../../rig/console/order.ts';
import type { Replay } from '../../rig/console/replay.ts';
import type { Hub } from './hub.ts';

export interface ConsoleSource {
  readonly kind: ConsoleKind;
  readonly title: string;
  readonly hub: Hub;
  readonly history: KeyHistory;
  /** What can be injected; none where nothing can. */
  readonly forms: readonly FaultForm[];
  /** Takes an order, and says by `order` items what becomes of it. Absent: nothing can be done here. */
  readonly give?: (order: Order) => void;
  /** Of a run that is over. */
  readonly replay?: Replay;
  /** Resolves when everything has ended that goes on; its signal has fired. */
  readonly done: Promise<void>;
}
