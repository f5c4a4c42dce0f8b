// A plan for people: 80 columns.

import { describeFault } from '../faults/catalogue.ts';
import { parseTopology, type Topology } from '../topology.ts';
import { describeWorkload } from '../workload/spec.ts';
import type { Plan } from './plan.ts';

const COLUMNS = 80;

/** Without a newline at the end. `isGiven`: its seed doesn't draw it. */
export function describePlan(
  { seed, durationMs, topology, workload, faults }: Plan,
  { isGiven = false }: { readonly isGiven?: boolean } = {},
): string {
  const seconds = durationMs / 1000;
  const again = isGiven ? 'by its plan' : `again with: rig run chaos --seed ${seed} --duration ${seconds}s`;
  return [
    `chaos for ${seconds} s; ${again}`,
    ...wrapped('cluster', describeTopology(parseTopology(topology, 'the plan'))),
    ...wrapped('workload', describeWorkload(workload)),
    faults.length === 0 ? 'no faults' : 'faults, in seconds since the work began',
    ...faults.flatMap(({ as, fault, atMs, healMs }) =>
      wrapped(`  ${inSeconds(atMs)} to ${inSeconds(healMs)}`, `${describeFault(fault)} (${as})`),
    ),
  ].join('\n');
}

function describeTopology({ etcd, nodes, consumers, settings }: Topology): string {
  const parts = nodes.map(({ name, capacityGib, disk, clock }) => {
    const odd = [disk === 'breakable' ? 'breakable disk' : '', clock === 'own' ? 'own clock' : ''];
    return [`${name} of ${capacityGib} GiB`, ...odd.filter((text) => text !== '')].join(', ');
  });
  return (
    `${etcd.members} of etcd; ${parts.join('; ')}; ${consumers.join(', ')}; lease ${settings.leaseTtlSeconds} s, ` +
    `reconcile ${settings.reconcileIntervalMs} ms, ${settings.maxMoves} moves at a time, ` +
    `rebalance ${settings.rebalancePercent} %`
  );
}

const inSeconds = (ms: number): string => (ms / 1000).toFixed(1).padStart(5);

/** The text beside its title, in as many lines as it takes. */
function wrapped(title: string, text: string): readonly string[] {
  const head = `${title}  `;
  const lines = [head];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    const space = line.endsWith(' ') ? '' : ' ';
    if (line.trim() !== '' && line.length + space.length + word.length > COLUMNS && line.length > head.length)
      lines.push(' '.repeat(head.length) + word);
    else lines[lines.length - 1] = line + space + word;
  }
  return lines;
}
