// What `rig fault` does from the choice of the cluster to its last word: injects, tells,
// and, where it is to last so long, waits and heals.

import { createSystemClock } from '../base/clock.ts';
import { hasCode } from '../base/errors.ts';
import { openHandRecord } from '../rig/by-hand/record.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { sentenceOf } from '../rig/faults/sentence.ts';
import type { FaultSpec } from '../rig/faults/spec.ts';
import { byHand, type Hand } from './by-hand.ts';
import { type ChosenCluster, type ClusterFlags, chooseCluster } from './clusters.ts';
import { fitted } from './fitted.ts';
import { healFaults, tellHealed } from './healing.ts';
import { type Injected, inject } from './inject.ts';
import { catchInterrupt } from './interrupt.ts';
import { printJson } from './output.ts';
import { volumeNamed } from './volumes-api.ts';

export interface FaultFlags extends ClusterFlags {
  /** Its name; default: that of the fault. */
  readonly as?: string;
  /** Milliseconds until it is healed; default: it is left. */
  readonly for?: number;
  readonly json?: boolean;
}

/** Exits with `unknown` where it was not seen to bite. Throws as {@link inject}, and `aborted`. */
export async function injectAndTell(wanted: FaultSpec, flags: FaultFlags): Promise<void> {
  const cluster = await chooseCluster(flags);
  const spec = await withVolumeId(cluster, wanted);
  // Its work is done by this process.
  const isOngoing = spec.fault === 'etcd-compaction';
  const isHeld = isOngoing || flags.for !== undefined;
  const known = await owedIn(cluster);
  let isOwn = (id: string): boolean => !known.has(id);
  try {
    const { hand, heal, injected } = await byHand(cluster, { makesMembers: true }, async (hand) => ({
      hand,
      ...(await inject(hand, { spec, as: flags.as })),
    }));
    isOwn = (id) => id === injected.id;
    if (!injected.shows) process.exitCode = exitCodeOf('unknown');
    tell(injected, { flags, isHeld });
    if (isHeld) await hold(hand, flags.for);
    if (isOngoing) {
      await heal();
      if (flags.json !== true) process.stdout.write(`healed: ${injected.fault}\n`);
    }
  } catch (error) {
    if (isHeld && hasCode(error, 'aborted')) await healOwn(cluster, isOwn, flags);
    throw error;
  }
  if (isHeld) await healOwn(cluster, isOwn, flags);
}

/** Volumes go by their ids; people call them by their names. */
export async function withVolumeId(cluster: ChosenCluster, spec: FaultSpec): Promise<FaultSpec> {
  if (spec.fault !== 'quota-full') return spec;
  return { ...spec, volume: (await volumeNamed(cluster, spec.volume)).id };
}

function tell(
  injected: Injected,
  { flags, isHeld }: { readonly flags: FaultFlags; readonly isHeld: boolean },
): void {
  if (flags.json === true) {
    printJson(injected);
    return;
  }
  const { id, shows, seen } = injected;
  const what = `${sentenceOf(injected)}${shows ? '' : ', but it was not seen to bite'}: ${seen}`;
  const which = [
    ...(flags.name === undefined ? [] : [` --name ${flags.name}`]),
    ...(flags.run === undefined ? [] : [` --run ${flags.run}`]),
  ].join('');
  const end =
    flags.for === undefined ? 'Ctrl-C heals it' : `it is healed in ${flags.for / 1_000} s, or by Ctrl-C`;
  const next = isHeld ? end : `heal it with rig heal ${id}${which}`;
  process.stdout.write(`${fitted(`injected ${what}`, '  ')}\n${fitted(next, '  ')}\n`);
}

const LOOK_EVERY_MS = 1_000;

/** So long, or until a Ctrl-C. */
async function hold({ site, clock }: Hand, forMs = Infinity): Promise<void> {
  using interrupt = catchInterrupt(() => process.stderr.write('\nhealing\n'));
  const endMs = clock.monotonicMs() + forMs;
  while (!interrupt.signal.aborted && clock.monotonicMs() < endMs) {
    const leftMs = Math.min(LOOK_EVERY_MS, endMs - clock.monotonicMs());
    await clock.sleep(leftMs, interrupt.signal).catch(() => undefined);
    // How far etcd's history goes by then, for who compacts it.
    await site.view().catch(() => undefined);
  }
}

const owedIn = async ({ folder }: ChosenCluster): Promise<ReadonlySet<string>> =>
  new Set((await openHandRecord(folder, createSystemClock())).owed.map(({ id }) => id));

/** Nothing where somebody else has healed it meanwhile. */
const healOwn = (
  cluster: ChosenCluster,
  isOwn: (id: string) => boolean,
  { json }: FaultFlags,
): Promise<void> =>
  byHand(cluster, { makesMembers: true }, async (hand) => {
    const reaped = await healFaults(
      hand,
      hand.record.owed.filter(({ id }) => isOwn(id)),
    );
    if (json !== true) tellHealed(reaped);
    if (reaped.some(({ isHealed }) => !isHealed)) process.exitCode = EXIT_MACHINE;
  });
