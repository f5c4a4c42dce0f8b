// A fault as people type it, its name, whom it hits, and `field=value` for how hard; or as a test's code has it. Pure.

import { RigError } from '../../base/errors.ts';
import { fieldErrors } from '../../model/parse.ts';
import { EXAMPLES } from './listing.ts';
import type { FaultName, FaultSpec } from './spec.ts';
import { FAULT_FIELDS, FAULT_NAMES } from './spec-schema.ts';
import { parseSelector } from './target.ts';

/** What a word is before the fault's own schema looks at it; one that doesn't fit is left to that. */
const VALUES: Readonly<Record<string, (word: string) => unknown>> = {
  ...{ on: parseSelector, from: parseSelector, to: parseSelector },
  ...Object.fromEntries(
    [
      ...['percent', 'delayMs', 'jitterMs', 'kbitPerSecond'],
      ...['offsetMs', 'spanMs', 'rate', 'everyMs'],
    ].map((field) => [field, (word: string) => (/^-?[0-9]+(\.[0-9]+)?$/.test(word) ? Number(word) : word)]),
  ),
  oneWay: (word) => ({ true: true, false: false })[word] ?? word,
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
  const fault = faultNamed(name);
  const fields = Object.entries({ ...defaultsOf(fault), ...fieldsOf(fault, words) });
  const typed = fields.map(([field, word]) => [field, VALUES[field]?.(word) ?? word]);
  return checked(fault, Object.fromEntries(typed), exampleOf(fault));
}

/** Whatever a test's types may have let through. Throws as `parseFault` does; nothing may be left out. */
export function checkFault({ fault: name, ...fields }: FaultSpec): FaultSpec {
  const fault = faultNamed(name);
  return checked(fault, fields, JSON.stringify(EXAMPLES[fault]));
}

function faultNamed(name: string): FaultName {
  const fault = FAULT_NAMES.find((one) => one === name);
  if (fault !== undefined) return fault;
  throw new RigError('invalid', `there is no fault '${name}'`, {
    next: `Choose from: ${FAULT_NAMES.join(', ')}; rig faults tells of each.`,
  });
}

function checked(fault: FaultName, fields: object, example: string): FaultSpec {
  const result = FAULT_FIELDS[fault].safeParse(fields);
  if (result.success) return { fault, ...result.data } as FaultSpec;
  const wrong = fieldErrors(result.error).map(({ path, message }) => `'${path}' ${message}`);
  throw new RigError('invalid', `${fault}: ${wrong.join('; ')}`, { next: `Give it as in: ${example}.` });
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
