// What the hardware of a simulated node is like: how much it holds, how slow it is, how
// often it fails. Data; hardware.ts makes it felt.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import { labelsSchema } from '../model/names.ts';
import { fieldErrors } from '../model/parse.ts';

const rateSchema = z.number().min(0).max(1);

const latencySchema = z
  .strictObject({ least: z.number().min(0).max(60_000), most: z.number().min(0).max(60_000) })
  .refine(({ least, most }) => least <= most, 'least must not be above most');

export const profileSchema = z.strictObject({
  /** GiB that may be reserved; the disk is a quarter larger. */
  capacityGib: z
    .number()
    .min(1 / 64)
    .max(2 ** 20),
  labels: labelsSchema.default({}),
  /** Of each call of the disk or the NFS server, in ms. */
  latencyMs: latencySchema.default({ least: 0, most: 0 }),
  failures: z
    .strictObject({
      /** Share of the disk's calls that fail with an I/O error. */
      disk: rateSchema.default(0),
      /** The same of the NFS server. */
      nfs: rateSchema.default(0),
      /** Share of writes to etcd and of calls between nodes whose answer is lost though all was done. */
      repliesDropped: rateSchema.default(0),
    })
    .default({ disk: 0, nfs: 0, repliesDropped: 0 }),
  /** Lines that a node logs in a second for nothing. */
  logLinesPerSecond: z.number().min(0).max(1000).default(0),
});

export type Profile = z.output<typeof profileSchema>;

/** `rig sim profiles` and README describe them. */
export const BUILT_IN: Readonly<Record<string, z.input<typeof profileSchema>>> = {
  plain: { capacityGib: 64 },
  small: { capacityGib: 8, labels: { disk: 'ssd', size: 'small' }, latencyMs: { least: 0, most: 5 } },
  ssd: { capacityGib: 1024, labels: { disk: 'ssd' }, latencyMs: { least: 1, most: 5 } },
  hdd: { capacityGib: 16_384, labels: { disk: 'hdd' }, latencyMs: { least: 5, most: 40 } },
  flaky: {
    capacityGib: 1024,
    labels: { disk: 'hdd', trusted: 'no' },
    latencyMs: { least: 5, most: 200 },
    failures: { disk: 0.01, nfs: 0.01, repliesDropped: 0.01 },
    logLinesPerSecond: 0.1,
  },
};

export const DEFAULT_PROFILE = 'plain';

export function builtInProfile(name: string): Profile | undefined {
  return Object.hasOwn(BUILT_IN, name) ? profileSchema.parse(BUILT_IN[name]) : undefined;
}

/** Checks what a file says. Throws `invalid`, naming the file and each field at fault. */
export function parseProfile(input: unknown, source: string): Profile {
  const result = profileSchema.safeParse(input);
  if (result.success) return result.data;
  const faults = fieldErrors(result.error).map(({ path, message }) => `${path || 'the whole'}: ${message}`);
  throw new RigError('invalid', `${source} is no hardware profile: ${faults.join('; ')}`, {
    next: `Built in are ${Object.keys(BUILT_IN).join(', ')}; README's section on fleets describes every field.`,
  });
}
