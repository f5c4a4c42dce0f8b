// The wall clocks of nodes' daemons, set wrong by libfaketime as in the containers: the
// rig itself tells it how far ahead each is.

import { renameSync, writeFileSync } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { ALWAYS_THERE } from '../hardware/disks.ts';
import { type ActiveCondition, offsetMs, offsetText } from '../rig/clock/offsets.ts';
import { readClock } from '../rig/clock/reading.ts';
import type { Clocks } from '../rig/deployment.ts';
import { createConditions } from '../rig/keyed-conditions.ts';

/** A drifting clock goes in steps of this; at 1.1 that is 2 ms at a time. */
const EVERY_MS = 20;

export function createClocks(options: {
  readonly clock: Clock;
  /** Until then they are kept wrong. */
  readonly signal: AbortSignal;
  readonly nodes: ReadonlyMap<string, { readonly clockFile: string | undefined }>;
  readonly fakeTime: string | undefined;
  readonly api: (node: string) => string;
}): Clocks {
  const { clock, signal, nodes, fakeTime, api } = options;
  const written = new Map<string, string>();
  let isKept = false;
  const conditions = createConditions<ActiveCondition>({
    ...ALWAYS_THERE,
    apply: async (node) => {
      tell(node);
      if (!isKept) void keep();
      isKept = true;
    },
  });
  const tell = (node: string): void => {
    const file = nodes.get(node)?.clockFile;
    const text = offsetText(offsetMs(conditions.of(node), clock.nowMs()));
    if (file === undefined || written.get(node) === text) return;
    // Whole or not at all: nobody reads half a number.
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    written.set(node, text);
  };
  const keep = async (): Promise<void> => {
    while (!signal.aborted) {
      for (const node of nodes.keys()) tell(node);
      await clock.sleep(EVERY_MS, signal).catch(() => undefined);
    }
  };
  return {
    set: (key, node, condition) =>
      conditions.set(key, node, condition && { condition, sinceMs: clock.nowMs() }),
    expectedMs: (node, exceptKey) => offsetMs(conditions.of(node, exceptKey), clock.nowMs()),
    read: (node) => readClock(clock, api(node)),
    missing: async () =>
      fakeTime === undefined ? 'this machine has no libfaketime: install the package libfaketime' : undefined,
  };
}
