// What each kind of fault takes, as it is read from a file or typed: as spec.ts has it, within bounds, and
// nothing else.

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { parseFailpoints } from '../../base/failpoints.ts';
import { nodeNameSchema } from '../../model/names.ts';
import { roleSchema } from '../../model/volume.ts';
import type { FaultName, FaultSpec, SpecOf } from './spec.ts';

const DAY_MS = 86_400_000;

const name = z.string().min(1).max(63);
const on = z.union([name, z.array(name).min(1).max(600).readonly()], {
  error: ({ input }) =>
    input === undefined ? 'is missing' : 'must be a member, a selector, or a list of them',
});
const from = (least: number, most: number) => z.number().min(least).max(most);
const kbitPerSecond = from(8, 10_000_000);
const nothing = z.strictObject({});
const members = z.strictObject({ on });
const halting = z.strictObject({ on, role: roleSchema.exactOptional() });
const failpoints = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    try {
      parseFailpoints(text);
    } catch (error) {
      const { message, next } = RigError.from(error);
      context.addIssue({ code: 'custom', message: `${message}. ${next}` });
    }
  });

/** Of every kind, what it takes besides its name. */
export const FAULT_FIELDS = {
  kill: halting,
  stop: halting,
  pause: halting,
  restart: members,
  'out-of-memory': members,
  partition: z.strictObject({ on, shape: z.enum(['isolate', 'halves', 'bridge', 'majorities-ring']) }),
  cut: z.strictObject({ from: on, to: on, oneWay: z.boolean().exactOptional() }),
  loss: z.strictObject({ on, percent: from(1, 100) }),
  latency: z.strictObject({ on, delayMs: from(1, 10_000), jitterMs: from(0, 10_000) }),
  bandwidth: z.strictObject({ on, kbitPerSecond }),
  reset: members,
  'half-open': members,
  'clock-offset': z.strictObject({ on, offsetMs: from(-DAY_MS, DAY_MS) }),
  'clock-jump': z.strictObject({ on, spanMs: from(1, DAY_MS) }),
  'clock-drift': z.strictObject({ on, rate: from(0, 100) }),
  'disk-full': members,
  'quota-full': z.strictObject({ volume: name }),
  'disk-read-only': members,
  'disk-errors': members,
  'disk-slow': z.strictObject({ on, kbitPerSecond }),
  'etcd-data-loss': members,
  'etcd-compaction': z.strictObject({ everyMs: from(50, 3_600_000) }),
  'lease-revoked': z.strictObject({ on, role: z.enum(['agent', 'engine']) }),
  'node-added': z.strictObject({ node: nodeNameSchema }),
  'node-removed': z.strictObject({ node: nodeNameSchema }),
  'rolling-restart': nothing,
  'rolling-upgrade': z.strictObject({ image: z.string().min(1).exactOptional() }),
  'engine-demotion': nothing,
  failpoint: z.strictObject({ on, failpoints }),
} satisfies { readonly [Name in FaultName]: z.ZodType<Omit<SpecOf<Name>, 'fault'>> };

export const FAULT_NAMES = Object.keys(FAULT_FIELDS) as readonly FaultName[];

const fieldsOf = (fault: FaultName): z.ZodObject => FAULT_FIELDS[fault];
const [first, ...others] = FAULT_NAMES.map((fault) => fieldsOf(fault).extend({ fault: z.literal(fault) }));

export const faultSpecSchema = z.discriminatedUnion('fault', [
  first as NonNullable<typeof first>,
  ...others,
]) as unknown as z.ZodType<FaultSpec>;
