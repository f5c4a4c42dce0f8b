// How long each check takes over a run of 100,000 events of etcd and 20,000 calls,
// and how that grows: at a quarter, a half and the whole of it. Counted is the
// processor's time, so that what else runs on the machine makes nothing grow.

import { RigError } from '../base/errors.ts';
import { CHECKS, type CheckName } from '../rig/checks/catalogue.ts';
import { longRun } from './bench-checks-run.ts';

const WHOLE = { etcdEvents: 100_000, calls: 20_000 };
const PARTS = [1 / 4, 1 / 2, 1];
const LIMIT_MS = 10_000;
const SEED = 1;
/** They need faults, of which the run has none. */
const IDLE: ReadonlySet<string> = new Set(['faults', 'outage-changes-nothing', 'traffic-uninterrupted']);

/** Throws `internal` when a check doesn't find the run valid, or all together take too long. */
export function benchChecks(): void {
  const names = (Object.keys(CHECKS) as CheckName[]).filter((name) => !IDLE.has(name));
  const columns = PARTS.map((part) => timesOf(names, part));
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(
    `${'ms, at'.padEnd(22)}${PARTS.map((part) => `${part * 100} %`.padStart(9)).join('')}   from half to whole`,
  );
  for (const name of [...names, 'all'] as const) {
    const times = columns.map((column) => column.get(name) ?? 0);
    const ratio = (times[2] ?? 0) / Math.max(1, times[1] ?? 1);
    say(`${name.padEnd(22)}${times.map((ms) => ms.toFixed(0).padStart(9)).join('')}   ${ratio.toFixed(1)} x`);
  }
  const allMs = columns.at(-1)?.get('all') ?? 0;
  if (allMs > LIMIT_MS)
    throw new RigError(
      'internal',
      `the checks took ${allMs.toFixed(0)} ms of processor time, at most ${LIMIT_MS} are wanted`,
    );
}

/** Milliseconds of each check, and of all: what checks share counts for the first that asks for it. */
function timesOf(names: readonly CheckName[], part: number): ReadonlyMap<string, number> {
  const run = longRun({ etcdEvents: WHOLE.etcdEvents * part, calls: WHOLE.calls * part }, SEED);
  const times = new Map<string, number>();
  for (const name of names) {
    const before = process.cpuUsage();
    const { verdict, reason, counterExample } = CHECKS[name](run);
    const { user, system } = process.cpuUsage(before);
    times.set(name, (user + system) / 1_000);
    if (verdict !== 'valid') {
      throw new RigError(
        'internal',
        `${name} says ${verdict}: ${[reason, ...(counterExample ?? [])].join('\n  ')}`,
      );
    }
  }
  return times.set(
    'all',
    [...times.values()].reduce((sum, ms) => sum + ms, 0),
  );
}
