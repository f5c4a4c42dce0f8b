// What somebody asks the console to do, as its page sends it.

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { fieldErrors } from '../../model/parse.ts';
import { describeFault } from '../faults/catalogue.ts';
import { parseFault } from '../faults/parse.ts';
import type { FaultSpec } from '../faults/spec.ts';

export const ACTS = ['kill', 'stop', 'start', 'restart', 'pause', 'resume'] as const;
export const POWER_ACTS = ['on', 'off', 'cycle'] as const;

/** As long as `rig fault --for` can be. */
const LONGEST_S = 99_999;

const text = z.string().min(1).max(200);
const names = z.array(text).max(600);

const orderSchema = z.discriminatedUnion('do', [
  /** As `rig kill node1 leader/engine`. */
  z.strictObject({ do: z.enum(ACTS), to: names.min(1) }),
  /** As `rig fault latency on=leader delayMs=300`. */
  z.strictObject({
    do: z.literal('fault'),
    fault: text,
    fields: z.record(z.string().regex(/^[A-Za-z]{1,30}$/), text),
    /** As `--for 30s`: healed by itself after so long; by hand when left out. */
    forSeconds: z.int().min(1).max(LONGEST_S).optional(),
  }),
  /** As `rig heal`: all, when none is named. */
  z.strictObject({ do: z.literal('heal'), ids: names }),
  /** As `rig sim power off node1`. */
  z.strictObject({ do: z.literal('power'), power: z.enum(POWER_ACTS), to: names.min(1) }),
]);

export type Order =
  | { readonly do: (typeof ACTS)[number]; readonly to: readonly string[] }
  | { readonly do: 'fault'; readonly spec: FaultSpec; readonly forSeconds?: number }
  | {
      readonly do: 'heal';
      readonly ids: readonly string[];
      /**
       * Of the console itself, when the time of a fault is over, for the cluster that it hit, by its guard: somebody may have
       * healed it by then, or put another cluster in its place.
       */
      readonly onlyOf?: string;
    }
  | { readonly do: 'power'; readonly power: (typeof POWER_ACTS)[number]; readonly to: readonly string[] };

/** Throws `invalid`, naming every field at fault. */
export function parseOrder(input: unknown): Order {
  const result = orderSchema.safeParse(input);
  if (!result.success) {
    const wrong = fieldErrors(result.error).map(({ path, message }) => `'${path}' ${message}`);
    throw new RigError('invalid', `the order is none: ${wrong.join('; ')}`, { next: 'Load the page again.' });
  }
  const order = result.data;
  if (order.do !== 'fault') return order;
  const words = Object.entries(order.fields).map(([field, value]) => `${field}=${value}`);
  const { forSeconds } = order;
  return {
    do: 'fault',
    spec: parseFault(order.fault, words),
    ...(forSeconds !== undefined && { forSeconds }),
  };
}

/** As people say it. */
export function describeOrder(order: Order): string {
  if (order.do === 'fault')
    return `${describeFault(order.spec)}${order.forSeconds === undefined ? '' : `, for ${order.forSeconds} s`}`;
  if (order.do === 'heal') return order.ids.length === 0 ? 'heal everything' : `heal ${order.ids.join(', ')}`;
  if (order.do === 'power') return `power ${order.power}: ${order.to.join(', ')}`;
  return `${order.do} ${order.to.join(', ')}`;
}
