// Conditions of nodes' hardware by the faults that brought them: one that is healed
// leaves the others, and a node that is started anew gets them all again.

import { createSerial } from '../base/serial.ts';
import type { ContainerState } from './deployment.ts';

export interface Conditions<T> {
  /** Resolves when it is in force; a node that doesn't run gets it when it is started. */
  set(key: string, node: string, value: T | undefined): Promise<void>;
  of(node: string, exceptKey?: string): readonly T[];
  /** Puts in force again what a node that was started since has lost. */
  refresh(node: string): Promise<void>;
}

/** `apply` puts all of a node's conditions in force, in the place of what was. */
export function createConditions<T>(options: {
  readonly state: (node: string) => Promise<ContainerState>;
  readonly apply: (node: string, values: readonly T[]) => Promise<void>;
}): Conditions<T> {
  const values = new Map<string, Map<string, T>>();
  const turns = new Map<string, ReturnType<typeof createSerial>>();
  const of: Conditions<T>['of'] = (node, exceptKey) =>
    [...(values.get(node) ?? [])].flatMap(([key, value]) => (key === exceptKey ? [] : [value]));
  // Of two at once the one that is done last would win, which may be the one that knew less.
  const apply = (node: string): Promise<void> => {
    const inTurn = turns.get(node) ?? createSerial();
    turns.set(node, inTurn);
    return inTurn(async () => {
      if ((await options.state(node)) === 'running') await options.apply(node, of(node));
    });
  };
  return {
    set: async (key, node, value) => {
      const ofNode = values.get(node) ?? new Map<string, T>();
      values.set(node, ofNode);
      if (value === undefined) ofNode.delete(key);
      else ofNode.set(key, value);
      await apply(node);
    },
    of,
    // Whatever ended while it was down may have left something behind.
    refresh: async (node) => {
      if (values.has(node)) await apply(node);
    },
  };
}
