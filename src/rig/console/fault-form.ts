// Every fault of the catalogue as a form: what it takes, within which bounds, and what stands there at first.

import { z } from 'zod';
import { describeFault, faultOf } from '../faults/catalogue.ts';
import type { Family } from '../faults/fault.ts';
import { EXAMPLES, listed } from '../faults/listing.ts';
import type { FaultName, FaultSpec } from '../faults/spec.ts';
import { FAULT_FIELDS, FAULT_NAMES } from '../faults/spec-schema.ts';

export interface FaultField {
  readonly name: string;
  /** `whom`: a member, or what it is at the moment. */
  readonly kind: 'whom' | 'number' | 'choice' | 'text';
  /** What stands there at first. */
  readonly value: string;
  readonly isOptional: boolean;
  readonly choices: readonly string[];
  readonly least: number | null;
  readonly most: number | null;
}

export interface FaultForm {
  readonly fault: FaultName;
  readonly family: Family;
  /** As a sentence. */
  readonly example: string;
  /** What a topology has to give for it; null for most. */
  readonly needs: string | null;
  readonly fields: readonly FaultField[];
}

/** In the order of the catalogue. */
export async function faultForms(): Promise<readonly FaultForm[]> {
  const all = await listed(async () => undefined);
  return FAULT_NAMES.map((fault) => {
    const spec: FaultSpec = EXAMPLES[fault];
    const needs = all.find((one) => one.fault === fault)?.needs ?? null;
    return {
      fault,
      family: faultOf(spec).family,
      example: describeFault(spec),
      needs,
      fields: fieldsOf(fault),
    };
  });
}

interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

const WHOM = ['on', 'from', 'to'];

function fieldsOf(fault: FaultName): readonly FaultField[] {
  const example: Readonly<Record<string, unknown>> = EXAMPLES[fault];
  const schema = z.toJSONSchema(FAULT_FIELDS[fault], { io: 'input', unrepresentable: 'any' });
  const required = new Set(schema.required ?? []);
  return Object.entries((schema.properties ?? {}) as Record<string, Property>).map(([name, property]) => {
    const isChoice = property.enum !== undefined || property.type === 'boolean';
    const isNumber = property.type === 'number' || property.type === 'integer';
    return {
      name,
      kind: WHOM.includes(name) ? 'whom' : isChoice ? 'choice' : isNumber ? 'number' : 'text',
      value: example[name] === undefined ? '' : String(example[name]),
      isOptional: !required.has(name),
      choices: property.enum ?? (isChoice ? ['true', 'false'] : []),
      least: property.minimum ?? null,
      most: property.maximum ?? null,
    };
  });
}
