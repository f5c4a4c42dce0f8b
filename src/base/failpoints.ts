// Named places in the daemon where a test can make something happen, in the
// spirit of etcd's gofail. They are compiled in, and do nothing unless settings
// say so: COBALT_FAILPOINTS="agent/after-create=crash;engine/before-transact=2*sleep(3000)".

import type { Clock } from './clock.ts';
import { RigError } from './errors.ts';

/** What happens at a failpoint, in the order of {@link FailpointKind}. */
export type FailpointEffect =
  /** The process ends as by SIGKILL: nothing is given up, nothing ends well. */
  | { readonly kind: 'crash' }
  /** Held up for good, as by SIGSTOP; only the end of the process ends it. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'sleep'; readonly ms: number }
  /** Throws `io`. */
  | { readonly kind: 'error' };

export type FailpointKind = FailpointEffect['kind'];

/** `count`: how often it happens before the failpoint does nothing again; null for always. */
export interface FailpointAction {
  readonly effect: FailpointEffect;
  readonly count: number | null;
}

/**
 * Where the daemon can be made to stumble. Each stands at a boundary between
 * two steps of which one may be done and the other not.
 */
export const FAILPOINTS = [
  /** The engine has decided and believes that it leads; its transaction has not been sent. */
  'engine/before-transact',
  /** The transaction was committed; the engine has not heard. */
  'engine/after-transact',
  'agent/before-witness',
  'agent/after-witness',
  'agent/before-create',
  'agent/after-create',
  'agent/before-clone',
  'agent/after-clone',
  'agent/before-set-quota',
  'agent/after-set-quota',
  'agent/before-rewrite',
  'agent/after-rewrite',
  'agent/before-export',
  'agent/after-export',
  'agent/before-unexport',
  'agent/after-unexport',
  'agent/before-trash',
  'agent/after-trash',
  'agent/before-adopt',
  'agent/after-adopt',
  /** All is done on the node; etcd has not been told. */
  'agent/before-conclude',
  'agent/after-conclude',
  /** The old node of a move: a copy was frozen and not yet sent; sent and confirmed; the export has ended. */
  'move/after-freeze',
  'move/after-send',
  'move/after-cutover',
  'move/before-handover',
  'move/after-handover',
  'move/after-verify',
  /** The new node: a copy is complete, and the old node has not heard. */
  'move/after-receive',
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];
export type FailpointActions = Readonly<Partial<Record<Failpoint, FailpointAction>>>;

export interface Failpoints {
  /** Resolves at once when nothing is to happen here. */
  reach(name: Failpoint): Promise<void>;
}

/** Longer would look like a hang. */
const LONGEST_SLEEP_MS = 60_000;

/** None is switched on. */
export const NO_FAILPOINTS: Failpoints = { reach: async () => {} };

/**
 * `crash` ends the process, or whatever stands for it in a test, and doesn't return. Where
 * failpoints are switched while the process runs, `actions` is asked whenever one is reached;
 * what it answers anew is counted anew. `onReached` is told before anything happens.
 */
export function createFailpoints(options: {
  readonly clock: Clock;
  readonly actions: FailpointActions | (() => Promise<FailpointActions>);
  readonly crash: () => Promise<never>;
  readonly onReached?: (name: Failpoint, effect: FailpointEffect) => void;
}): Failpoints {
  const { clock, actions } = options;
  const reached = new WeakMap<FailpointAction, number>();
  return {
    reach: async (name) => {
      const action = (typeof actions === 'function' ? await actions() : actions)[name];
      if (action === undefined) return;
      const times = reached.get(action) ?? 0;
      if (action.count !== null && times >= action.count) return;
      reached.set(action, times + 1);
      const { effect } = action;
      options.onReached?.(name, effect);
      if (effect.kind === 'crash') await options.crash();
      if (effect.kind === 'pause') await new Promise<never>(() => {});
      if (effect.kind === 'sleep') await clock.sleep(effect.ms);
      if (effect.kind === 'error') throw new RigError('io', `failpoint ${name}`, { definite: false });
    },
  };
}

/**
 * Reads `name=effect` or `name=count*effect`, separated by semicolons, with the effects `crash`, `pause`,
 * `error` and `sleep(ms)`; throws `invalid` for anything else.
 */
export function parseFailpoints(text: string): FailpointActions {
  const entries = text.split(';').filter((entry) => entry.trim() !== '');
  return Object.fromEntries(
    entries.map((entry) => {
      const [, name = '', count, effect = ''] =
        /^\s*([a-z/-]+)=(?:([0-9]{1,6})\*)?([a-z]+(?:\([0-9]{1,6}\))?)\s*$/.exec(entry) ?? [];
      const known = FAILPOINTS.find((failpoint) => failpoint === name);
      const parsed = effectOf(effect);
      if (known === undefined || parsed === undefined) throw noFailpoint(entry);
      return [known, { effect: parsed, count: count === undefined ? null : Number(count) }];
    }),
  );
}

function effectOf(text: string): FailpointEffect | undefined {
  if (text === 'crash' || text === 'pause' || text === 'error') return { kind: text };
  const [, milliseconds] = /^sleep\(([0-9]+)\)$/.exec(text) ?? [];
  const ms = Number(milliseconds);
  return ms <= LONGEST_SLEEP_MS ? { kind: 'sleep', ms } : undefined;
}

function noFailpoint(entry: string): RigError {
  return new RigError('invalid', `'${entry}' is no failpoint`, {
    next: `Give <name>=[<count>*]crash|pause|error|sleep(<ms>), at most ${LONGEST_SLEEP_MS} ms; names: ${FAILPOINTS.join(', ')}.`,
  });
}
