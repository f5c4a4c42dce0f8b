// What is done by hand to members of a cluster, or to one role of a node, whoever asks for it.

import { mapConcurrently } from '../base/concurrent.ts';
import { resolveTargets, type Target } from '../rig/by-hand/targets.ts';
import type { Act } from '../rig/deployment.ts';
import { takeOver } from '../rig/faults/owed.ts';
import type { Hand } from './by-hand.ts';

export interface Way {
  /** One after the other. */
  readonly acts: readonly Act[];
  /** `killed`. */
  readonly done: string;
  /** Of a role, where that differs: its supervisor starts what has ended. */
  readonly ofRole?: readonly Act[];
  readonly examples: readonly string[];
}

/** By what people call them. */
export const WAYS = {
  kill: {
    acts: ['kill'],
    done: 'killed',
    examples: ['rig kill leader', 'rig kill node1/engine', 'rig kill etcd'],
  },
  stop: { acts: ['stop'], done: 'stopped', examples: ['rig stop node1 node2', 'rig stop leader/engine'] },
  start: {
    acts: ['start'],
    done: 'started',
    examples: ['rig start node1', 'rig start all', 'rig start etcd'],
  },
  restart: {
    acts: ['stop', 'start'],
    done: 'restarted',
    ofRole: ['stop'],
    examples: ['rig restart one', 'rig restart node1/agent'],
  },
  pause: { acts: ['pause'], done: 'frozen', examples: ['rig pause leader', 'rig pause node1/agent'] },
  resume: {
    acts: ['resume'],
    done: 'thawed',
    examples: ['rig resume node1', 'rig resume all', 'rig resume node1/agent'],
  },
} as const satisfies Record<string, Way>;

/** Those that it was done to. Throws `not_found` where nobody is meant. */
export async function act(hand: Hand, way: Way, texts: readonly string[]): Promise<readonly Target[]> {
  const { deployment, site, record } = hand;
  const targets = await resolveTargets(site, texts, way.acts[0] as Act);
  // Whoever is started gets a new network, disk and clock, in which what was injected goes on.
  if (way.acts.some((one) => one === 'start' || one === 'resume')) await takeOver(site, record.owed);
  await mapConcurrently(targets, {
    concurrency: Math.max(1, targets.length),
    each: async ({ member, role }) => {
      const acts = role === undefined ? way.acts : (way.ofRole ?? way.acts);
      const [first] = acts;
      const isDown = (await deployment.state(member)) === 'exited';
      // What is down needs no more than to be started.
      const left = isDown && first === 'stop' && acts.includes('start') ? acts.slice(1) : acts;
      for (const one of left) await site.act(one, member, role === undefined ? {} : { role });
    },
  });
  return targets;
}
