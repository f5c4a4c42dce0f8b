// Lines in the nodes' logs that mean nothing, at the rate of their profiles: for whoever
// ships, keeps or searches logs.

import type { Log } from '../base/log.ts';
import { below, hex, type Random } from '../base/random.ts';
import type { Fleet } from './fleet.ts';
import type { Profile } from './profiles.ts';

const TEXTS = [
  'scrub has read another chunk',
  'a client has renewed its state',
  'temperature of the disk is as usual',
  'link is up, as it was',
];

export function createNoise(options: {
  readonly fleet: Fleet;
  readonly log: Log;
  readonly random: Random;
  readonly profileOf: (name: string) => Profile | undefined;
}): { tick(ms: number): void } {
  const { fleet, log, random, profileOf } = options;
  return {
    /** To be called every `ms`. */
    tick: (ms) => {
      for (const { name, isOn } of fleet.nodes.values()) {
        const rate = profileOf(name)?.logLinesPerSecond ?? 0;
        if (!isOn || rate === 0) continue;
        const due = (rate * ms) / 1000;
        // What is left of a line comes by chance.
        const lines = Math.floor(due) + Number(random.uint32() / 2 ** 32 < due % 1);
        for (let line = 0; line < lines; line += 1) {
          const text = TEXTS[below(random, TEXTS.length)];
          log.info('noise', { node: name, role: 'agent', text, trace: hex(random, 16) });
        }
      }
    },
  };
}
