// `rig fault` and `rig partition`: a fault of the catalogue, injected by hand until it is healed.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE, exitCodeOf } from '../rig/checks/exit-codes.ts';
import { exampleOf, parseFault } from '../rig/faults/parse.ts';
import type { FaultSpec } from '../rig/faults/spec.ts';
import { byHand, type Hand } from './by-hand.ts';
import { type ChosenCluster, type ClusterFlags, chooseCluster, withClusterOptions } from './clusters.ts';
import { fitted } from './fitted.ts';
import { healFaults, tellHealed } from './healing.ts';
import { type Injected, inject, sentenceOf } from './inject.ts';
import { catchInterrupt } from './interrupt.ts';
import { help, printJson } from './output.ts';
import { volumeNamed } from './volumes-api.ts';

interface FaultFlags extends ClusterFlags {
  readonly as?: string;
  readonly for?: number;
  readonly json?: boolean;
}

const SHAPE = '{"id", "fault", "members", "shows", "seen"}; exit code 2 where it was not seen to bite';

const withFaultOptions = (command: Command): Command =>
  withClusterOptions(command)
    .option('--as <id>', 'its name, for rig heal (default: that of the fault)', parseId)
    .option('--for <seconds>', 'heal it after so long, or at Ctrl-C', parseSeconds)
    .option('--json', 'print what was done as JSON');

export function registerFault(program: Command): void {
  withFaultOptions(
    program
      .command('fault')
      .argument('<fault>', 'its name; rig faults lists them')
      .argument('[field...]', 'whom it hits, and field=value for how hard; default: as in rig faults'),
  )
    .addHelpText(
      'after',
      help(
        [
          exampleOf('latency'),
          'rig fault loss leader --for 30s',
          'rig fault pause node1/agent --as frozen',
          exampleOf('cut'),
          exampleOf('failpoint'),
        ],
        SHAPE,
      ),
    )
    .action(async (name: string, words: readonly string[], flags: FaultFlags) =>
      injectAndTell(parseFault(name, words), flags),
    );
}

interface PartitionFlags extends FaultFlags {
  readonly shape?: string;
  readonly oneWay?: boolean;
}

export function registerPartition(program: Command): void {
  withFaultOptions(
    program
      .command('partition')
      .argument(
        '<members>',
        'whom to cut off: names, separated by commas, or leader, one, minority and so on',
      )
      .argument('[others]', 'from whom; from everybody when left out'),
  )
    .option('--one-way', 'only what <members> send to [others] is lost')
    .option('--shape <shape>', 'isolate (default), halves, bridge or majorities-ring')
    .addHelpText(
      'after',
      help(
        [
          'rig partition leader',
          'rig partition minority --shape halves',
          'rig partition node1 etcd --one-way',
        ],
        SHAPE,
      ),
    )
    .action(async (members: string, others: string | undefined, flags: PartitionFlags) =>
      injectAndTell(partitionOf(members, others, flags), flags),
    );
}

function partitionOf(members: string, others: string | undefined, flags: PartitionFlags): FaultSpec {
  const { shape, oneWay = false } = flags;
  if (others === undefined && oneWay) {
    throw new RigError('invalid', '--one-way needs to know from whom', {
      next: 'Name the others as well: rig partition node1 etcd --one-way.',
    });
  }
  if (others === undefined) return parseFault('partition', [members, ...(shape ? [`shape=${shape}`] : [])]);
  if (shape !== undefined) {
    throw new RigError('invalid', '--shape is for who is cut off from everybody', { next: 'Leave it out.' });
  }
  return parseFault('cut', [`from=${members}`, `to=${others}`, `oneWay=${oneWay}`]);
}

async function injectAndTell(wanted: FaultSpec, flags: FaultFlags): Promise<void> {
  const cluster = await chooseCluster(flags);
  const spec = await withVolumeId(cluster, wanted);
  // Its work is done by this process.
  const isOngoing = spec.fault === 'etcd-compaction';
  const { hand, heal, injected } = await byHand(cluster, { makesMembers: true }, async (hand) => ({
    hand,
    ...(await inject(hand, { spec, as: flags.as })),
  }));
  tell(injected, { flags, isHeld: isOngoing || flags.for !== undefined });
  if (isOngoing || flags.for !== undefined) await hold(hand, flags.for);
  if (isOngoing) {
    await heal();
    if (flags.json !== true) process.stdout.write(`healed: ${injected.fault}\n`);
  } else if (flags.for !== undefined) {
    await healAgain(cluster, injected.id, flags);
  }
  if (!injected.shows) process.exitCode = exitCodeOf('unknown');
}

/** Volumes go by their ids; people call them by their names. */
async function withVolumeId(cluster: ChosenCluster, spec: FaultSpec): Promise<FaultSpec> {
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
    await site.view();
  }
}

/** Somebody else may have healed it meanwhile. */
const healAgain = (cluster: ChosenCluster, id: string, { json }: FaultFlags): Promise<void> =>
  byHand(cluster, { makesMembers: true }, async (hand) => {
    const wanted = hand.record.owed.filter((hit) => hit.id === id);
    const reaped = await healFaults(hand, wanted);
    if (json !== true) tellHealed(reaped);
    if (reaped.some(({ isHealed }) => !isHealed)) process.exitCode = EXIT_MACHINE;
  });

/** Throws `invalid` for what could not be told from an option, or does not fit a line. */
function parseId(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._ -]{0,62}$/.test(text)) return text;
  throw new RigError('invalid', `'${text}' is no name for a fault`, {
    next: 'Use 1-63 of A-Z, a-z, 0-9, space and ._-, the first no sign.',
  });
}

/** In milliseconds. */
function parseSeconds(text: string): number {
  const seconds = Number(/^([0-9]{1,5})s?$/.exec(text)?.[1]);
  if (seconds >= 1) return seconds * 1_000;
  throw new RigError('invalid', `'${text}' is no duration`, { next: 'Give 1s to 99999s.' });
}
