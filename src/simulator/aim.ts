// When whoever is to be killed dies. Of all the time that passes, little has anything under way in it; so as
// often as not a kill waits for a step that changes something, and comes before, in or right after it.

import { between, inPercent } from '../base/choose.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { someMs } from '../hardware/wires.ts';
import type { Process } from './process.ts';

const AIMED_PERCENT = 50;
/** A command in a container may be as late as that, too. */
const LONGEST_WAIT_MS = 300;
const MOST_STEPS = 3;
/** As long as most steps take: what the daemon does to its disk, its exports, etcd or another node. */
const STEP_MS = 20;

/** Resolves at that moment, which is now for the others; soon if nothing is begun at all. */
export async function momentToDie(options: {
  readonly clock: Clock;
  readonly random: Random;
  /** Whoever is to die. */
  readonly processes: readonly Process[];
}): Promise<void> {
  const { clock, random, processes } = options;
  if (!inPercent(AIMED_PERCENT, random)) return;
  let left = between(1, MOST_STEPS, random);
  const intoMs = someMs(0, STEP_MS, random);
  const begun = Promise.withResolvers<void>();
  const cancel = clock.after(LONGEST_WAIT_MS, begun.resolve);
  const forgets = processes.map((process) =>
    process.onStep(() => {
      left -= 1;
      if (left === 0) clock.after(intoMs, begun.resolve);
    }),
  );
  await begun.promise;
  cancel();
  for (const forget of forgets) forget();
}
