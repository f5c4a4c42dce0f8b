// A plan of chaos as it is read from a file: of a run that is to be repeated or shrunk,
// or written by hand.

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { fieldErrors } from '../../model/parse.ts';
import { faultSpecSchema } from '../faults/spec-schema.ts';
import { parseTopology, type TopologyInput } from '../topology.ts';
import { WORK } from '../workload/spec.ts';
import type { Plan } from './plan.ts';

/** Of any run. */
const LONGEST_MS = 3_600_000;
const timeSchema = z.number().min(0).max(LONGEST_MS);
const percentSchema = z.number().min(0).max(100);

const workloadSchema = z.strictObject({
  clients: z.int().min(1).max(100),
  ratePerSecond: z.number().positive().max(1_000),
  mix: z.partialRecord(z.enum(WORK), z.number().min(0)),
  volumes: z.strictObject({
    most: z.int().min(1).max(1_000),
    sizesGib: z.array(z.number().positive()).min(1).readonly(),
  }),
  fileBytes: z.array(z.int().positive()).min(1).readonly(),
  overwritePercent: percentSchema.exactOptional(),
  conditionalPercent: percentSchema,
  constrainedPercent: percentSchema,
  leastPercent: percentSchema,
});

const faultSchema = z
  .strictObject({ as: z.string().min(1), fault: faultSpecSchema, atMs: timeSchema, healMs: timeSchema })
  .refine(({ atMs, healMs }) => atMs <= healMs, {
    message: 'must begin before it is healed',
    path: ['healMs'],
  });

const planSchema = z
  .strictObject({
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1),
    durationMs: timeSchema,
    // What is wrong with it, its own words tell.
    topology: z.unknown(),
    workload: workloadSchema,
    faults: z.array(faultSchema).readonly(),
  })
  .refine(({ faults, durationMs }) => faults.every(({ healMs }) => healMs <= durationMs), {
    message: 'must all be healed by the end of durationMs',
    path: ['faults'],
  })
  .refine(({ faults }) => new Set(faults.map(({ as }) => as)).size === faults.length, {
    message: "must have names ('as') that differ",
    path: ['faults'],
  });

/** Throws `invalid`, naming every field at fault and the `source`, which is where the plan was read. */
export function parsePlan(input: unknown, source: string): Plan {
  const result = planSchema.safeParse(input);
  if (!result.success) {
    const faults = fieldErrors(result.error).map(({ path, message }) => `'${path}' ${message}`);
    throw new RigError('invalid', `${source} is no plan of chaos: ${faults.join('; ')}`, {
      next: 'Take plan.json as a run of chaos has left it.',
    });
  }
  const { topology, ...plan } = result.data;
  parseTopology(topology, source);
  return { ...plan, topology: topology as TopologyInput };
}
