// Faults as they are read from a file: as spec.ts has them, and nothing else.

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { parseFailpoints } from '../../base/failpoints.ts';
import { roleSchema } from '../../model/volume.ts';
import type { FaultSpec } from './spec.ts';

const nameSchema = z.string().min(1).max(63);
const selectorSchema = z.union([nameSchema, z.array(nameSchema).min(1).max(600).readonly()]);
const on = { on: selectorSchema };
const positive = z.number().positive();
const failpointsSchema = z.string().refine((text) => {
  try {
    return Object.keys(parseFailpoints(text)).length > 0;
  } catch (error) {
    if (error instanceof RigError) return false;
    throw error;
  }
}, 'must be failpoints, such as agent/after-create=crash');

export const faultSpecSchema = z.discriminatedUnion('fault', [
  z.strictObject({ fault: z.literal(['kill', 'stop', 'pause']), ...on, role: roleSchema.exactOptional() }),
  z.strictObject({
    fault: z.literal([
      'restart',
      'out-of-memory',
      'reset',
      'half-open',
      'disk-full',
      'disk-read-only',
      'disk-errors',
      'etcd-data-loss',
    ]),
    ...on,
  }),
  z.strictObject({
    fault: z.literal('partition'),
    shape: z.literal(['isolate', 'halves', 'bridge', 'majorities-ring']),
    ...on,
  }),
  z.strictObject({
    fault: z.literal('cut'),
    from: selectorSchema,
    to: selectorSchema,
    oneWay: z.boolean().exactOptional(),
  }),
  z.strictObject({ fault: z.literal('loss'), ...on, percent: positive.max(100) }),
  z.strictObject({
    fault: z.literal('latency'),
    ...on,
    delayMs: positive,
    jitterMs: z.number().nonnegative(),
  }),
  z.strictObject({ fault: z.literal(['bandwidth', 'disk-slow']), ...on, kbitPerSecond: positive }),
  z.strictObject({ fault: z.literal('clock-offset'), ...on, offsetMs: z.number() }),
  z.strictObject({ fault: z.literal('clock-jump'), ...on, spanMs: positive }),
  z.strictObject({ fault: z.literal('clock-drift'), ...on, rate: positive }),
  z.strictObject({ fault: z.literal('quota-full'), volume: nameSchema }),
  z.strictObject({ fault: z.literal('etcd-compaction'), everyMs: positive }),
  z.strictObject({ fault: z.literal('lease-revoked'), ...on, role: z.literal(['agent', 'engine']) }),
  z.strictObject({ fault: z.literal(['node-added', 'node-removed']), node: nameSchema }),
  z.strictObject({ fault: z.literal(['rolling-restart', 'engine-demotion']) }),
  z.strictObject({ fault: z.literal('rolling-upgrade'), image: z.string().exactOptional() }),
  z.strictObject({ fault: z.literal('failpoint'), ...on, failpoints: failpointsSchema }),
]) satisfies z.ZodType<FaultSpec>;
