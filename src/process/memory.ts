// A member that runs out of memory: to limit what a tree of processes has takes a control
// group, and these take root, so that the rig does what the kernel would: it kills the largest of them,
// again and again.

import type { Clock } from '../base/clock.ts';
import { below, type Random } from '../base/random.ts';
import type { Memory } from '../rig/deployment.ts';
import type { Member } from './member.ts';
import { residentPages, signal } from './processes.ts';

/** Until what was started anew has grown as large. */
const GROWS_MS = { least: 2_000, most: 5_000 };

export function createMemory(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly memberOf: (name: string) => Member;
}): Memory {
  const { clock, random, memberOf } = options;
  const exhausted = new Map<string, () => void>();
  const kills = new Map<string, { readonly incarnation: number; readonly count: number }>();
  const countOf = (name: string): number => {
    const known = kills.get(name);
    return known?.incarnation === memberOf(name).incarnation ? known.count : 0;
  };
  const killLargest = (name: string): void => {
    const member = memberOf(name);
    const [largest] = member.pids().toSorted((a, b) => residentPages(b) - residentPages(a));
    if (largest === undefined || !signal(largest, 'SIGKILL')) return;
    kills.set(name, { incarnation: member.incarnation, count: countOf(name) + 1 });
  };
  const again = (name: string): void => {
    killLargest(name);
    const afterMs = GROWS_MS.least + below(random, GROWS_MS.most - GROWS_MS.least);
    exhausted.set(
      name,
      clock.after(afterMs, () => again(name)),
    );
  };
  const lift = async (name: string): Promise<void> => {
    exhausted.get(name)?.();
    exhausted.delete(name);
  };
  return {
    exhaust: async (name) => {
      await lift(name);
      again(name);
    },
    lift,
    kills: async (name) => countOf(name),
    missing: async () => undefined,
  };
}
