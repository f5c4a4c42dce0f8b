// Nodes as people read them.

import { fitted } from './fitted.ts';
import type { NodeView } from './nodes-api.ts';
import { printJson } from './output.ts';
import { table } from './table.ts';

const gib = (value: number | null): string => (value === null ? '-' : String(Math.round(value * 100) / 100));

const stateOf = ({ alive, draining }: NodeView): string =>
  `${alive ? 'alive' : 'away'}${draining ? ', draining' : ''}`;

const labelsOf = ({ labels }: NodeView): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ') || '-';

export const nodeTable = (nodes: readonly NodeView[]): string =>
  table({
    heads: ['NAME', 'STATE', 'VOLUMES', 'RESERVED', 'CAPACITY', 'FREE', 'DISK', 'LABELS'],
    rows: nodes.map((node) => [
      node.name,
      stateOf(node),
      String(node.volumes.count),
      gib(node.volumes.reserved),
      gib(node.capacity),
      gib(node.available),
      node.disk?.state ?? '-',
      labelsOf(node),
    ]),
  });

export function tellNode(node: NodeView, { json }: { readonly json?: boolean }): void {
  if (json === true) {
    printJson(node);
    return;
  }
  const { name, volumes, remains, roles, disk } = node;
  const lines = [
    `state: ${stateOf(node)}`,
    `roles: ${roles.join(' ') || 'unknown'}`,
    `volumes: ${volumes.count}, ${gib(volumes.reserved)} of ${gib(node.capacity)} GiB reserved`,
    `disk: ${disk?.state ?? 'unknown'}${disk?.reason ? `: ${disk.reason}` : ''}, ${gib(node.available)} GiB free, ${remains ?? 'unknown'} remain of others`,
    `labels: ${labelsOf(node)}`,
  ];
  process.stdout.write(`${[name, ...lines.map((line) => fitted(`  ${line}`, '    '))].join('\n')}\n`);
}
