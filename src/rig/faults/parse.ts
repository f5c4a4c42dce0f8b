// A fault as people type it: its name, whom it hits, and `field=value` for how hard. Pure.

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { nodeNameSchema } from '../../model/names.ts';
import { fieldErrors } from '../../model/parse.ts';
import { roleSchema } from '../../model/volume.ts';
import { EXAMPLES } from './listing.ts';
import type { FaultName, FaultSpec, SpecOf } from './spec.ts';
import { parseSelector } from './target.ts';

/** Every kind, as they are listed. */
export const FAULT_NAMES = Object.keys(EXAMPLES) as readonly FaultName[];

const DAY_MS = 86_400_000;

const on = z.string().min(1).transform(parseSelector);
const number = z
  .string()
  .regex(/^-?[0-9]+(\.[0-9]+)?$/, 'must be a number')
  .transform(Number);
const from = (least: number, most: number) => number.pipe(z.number().min(least).max(most));
const kbitPerSecond = from(8, 10_000_000);
const percent = from(1, 100);
const flag = z.enum(['true', 'false']).transform((word) => word === 'true');
const role = roleSchema.exactOptional();
const nothing = z.strictObject({});
const members = z.strictObject({ on });
const halting = z.strictObject({ on, role });

const SCHEMAS: { readonly [Name in FaultName]: z.ZodType<Omit<SpecOf<Name>, 'fault'>> } = {
  kill: halting,
  stop: halting,
  pause: halting,
  restart: members,
  'out-of-memory': members,
  partition: z.strictObject({ on, shape: z.enum(['isolate', 'halves', 'bridge', 'majorities-ring']) }),
  cut: z.strictObject({ from: on, to: on, oneWay: flag.exactOptional() }),
  loss: z.strictObject({ on, percent }),
  latency: z.strictObject({ on, delayMs: from(1, 10_000), jitterMs: from(0, 10_000) }),
  bandwidth: z.strictObject({ on, kbitPerSecond }),
  reset: members,
  'half-open': members,
  'clock-offset': z.strictObject({ on, offsetMs: from(-DAY_MS, DAY_MS) }),
  'clock-jump': z.strictObject({ on, spanMs: from(1, DAY_MS) }),
  'clock-drift': z.strictObject({ on, rate: from(0, 100) }),
  'disk-full': members,
  'quota-full': z.strictObject({ volume: z.string().min(1) }),
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
  failpoint: z.strictObject({ on, failpoints: z.string().min(1) }),
};

/** Fields that say how hard it hits, and not whom: left out, they are as in `rig faults`. */
const DEFAULTED = [
  'shape',
  'percent',
  'delayMs',
  'jitterMs',
  'kbitPerSecond',
  'offsetMs',
  'spanMs',
  'rate',
  'everyMs',
] as const;

/** The field that a word without `=` is. */
const FIRST: Partial<Record<FaultName, string>> = {
  'quota-full': 'volume',
  'node-added': 'node',
  'node-removed': 'node',
  'rolling-upgrade': 'image',
};

/**
 * `latency leader delayMs=300`; of `<target>/<role>` the role is the fault's, where it takes one.
 * Throws `invalid`, naming every field at fault and what there is.
 */
export function parseFault(name: string, words: readonly string[]): FaultSpec {
  const fault = FAULT_NAMES.find((one) => one === name);
  if (fault === undefined) {
    throw new RigError('invalid', `there is no fault '${name}'`, {
      next: `Choose from: ${FAULT_NAMES.join(', ')}; rig faults tells of each.`,
    });
  }
  const result = SCHEMAS[fault].safeParse({ ...defaultsOf(fault), ...fieldsOf(fault, words) });
  if (result.success) return { fault, ...result.data } as FaultSpec;
  const wrong = fieldErrors(result.error).map(({ path, message }) => `'${path}' ${message}`);
  throw new RigError('invalid', `${fault}: ${wrong.join('; ')}`, {
    next: `Give it as in: ${exampleOf(fault)}.`,
  });
}

function fieldsOf(fault: FaultName, words: readonly string[]): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  for (const word of words) {
    const [, field = FIRST[fault] ?? 'on', value = word] = /^([A-Za-z]+)=(.*)$/s.exec(word) ?? [];
    if (Object.hasOwn(fields, field)) {
      throw new RigError('invalid', `${fault}: '${field}' is given twice`, { next: 'Give each field once.' });
    }
    fields[field] = value;
  }
  // Failpoints have a slash of their own, and members have none.
  const [, target, role] = /^([^/]+)\/([^/]+)$/.exec(fields.on ?? '') ?? [];
  return target === undefined || role === undefined ? fields : { role, ...fields, on: target };
}

function defaultsOf(fault: FaultName): Readonly<Record<string, string>> {
  const example: Readonly<Record<string, unknown>> = EXAMPLES[fault];
  return Object.fromEntries(
    DEFAULTED.filter((field) => example[field] !== undefined).map((field) => [field, String(example[field])]),
  );
}

/** `rig fault latency leader delayMs=200 jitterMs=50`. */
export function exampleOf(fault: FaultName): string {
  const { fault: _, ...fields } = EXAMPLES[fault];
  const first = FIRST[fault] ?? 'on';
  const words = Object.entries(fields)
    .sort(([a], [b]) => Number(b === first) - Number(a === first))
    .map(([field, value]) => (field === first ? String(value) : `${field}=${value}`));
  return ['rig fault', fault, ...words].join(' ');
}
