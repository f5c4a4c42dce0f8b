// Labels as people type them.

import { RigError } from '../base/errors.ts';
import { type Labels, labelsSchema } from '../model/names.ts';
import { fieldErrors } from '../model/parse.ts';

/** `disk=ssd,rack=a`. Throws `invalid`. */
export function parseLabels(text: string): Labels {
  const pairs = text.split(',').map((pair) => /^([^=]+)=(.*)$/.exec(pair) ?? []);
  if (pairs.some(([whole]) => whole === undefined)) {
    throw new RigError('invalid', `'${text}' are no labels`, { next: 'Give them as disk=ssd,rack=a.' });
  }
  return checkedLabels(Object.fromEntries(pairs.map(([, key = '', value = '']) => [key, value])));
}

/** The labels with `disk=ssd` set and `disk-` taken away. Throws `invalid`. */
export function changedLabels(before: Labels, changes: readonly string[]): Labels {
  const after: Record<string, string> = { ...before };
  for (const change of changes) {
    const [, key, value] = /^([^=]+)=(.*)$/.exec(change) ?? [];
    if (key !== undefined && value !== undefined) after[key] = value;
    else if (change.endsWith('-')) delete after[change.slice(0, -1)];
    else
      throw new RigError('invalid', `'${change}' is no label`, {
        next: 'Give disk=ssd, or disk- to take it away.',
      });
  }
  return checkedLabels(after);
}

function checkedLabels(labels: Labels): Labels {
  const result = labelsSchema.safeParse(labels);
  if (result.success) return result.data;
  const wrong = fieldErrors(result.error).map(
    ({ path, message }) => `${path === '' ? 'labels' : `'${path}'`} ${message}`,
  );
  throw new RigError('invalid', wrong.join('; '));
}
