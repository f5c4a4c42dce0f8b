// Volumes as people read them.

import type { Volume } from '../model/volume.ts';
import { formatExport } from './export-rule.ts';
import { fitted } from './fitted.ts';
import { printJson } from './output.ts';
import { table } from './table.ts';

export const volumeTable = (volumes: readonly Volume[]): string =>
  table({
    heads: ['NAME', 'ID', 'STATE', 'NODE', 'GIB', 'EXPORTS'],
    rows: volumes.map((volume) => [
      volume.name,
      volume.id,
      volume.state,
      volume.node ?? '-',
      String(volume.requested.reserved_size),
      exportsOf(volume),
    ]),
  });

const exportsOf = ({ exports }: Volume): string => exports.map(formatExport).join(' ') || '-';

export function tellVolume(volume: Volume, { json }: { readonly json?: boolean }): void {
  if (json === true) {
    printJson(volume);
    return;
  }
  const { name, id, state, node, requested, control, meta } = volume;
  const { reserved_size: size, constraints } = requested;
  const pairs = (of: Readonly<Record<string, string>>): string =>
    Object.entries(of)
      .map(([key, value]) => `${key}=${value}`)
      .join(' ');
  const told: readonly (readonly [string, string | null])[] = [
    ['state', state],
    ['node', node],
    ['size', `${size} GiB`],
    ['exports', exportsOf(volume)],
    ['constraints', pairs(constraints)],
    ['meta', pairs(meta)],
    ['clone of', control.parent_id],
    ['error', control.error],
    ['updated', control.updated],
  ];
  const lines = told.flatMap(([what, value]) => (value ? [fitted(`  ${what}: ${value}`, '    ')] : []));
  process.stdout.write(`${[`${name} (${id})`, ...lines].join('\n')}\n`);
}
