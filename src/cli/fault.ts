// `rig fault` and `rig partition`: a fault of the catalogue, injected by hand until it is healed.

import type { Command } from 'commander';
import { RigError } from '../base/errors.ts';
import { exampleOf, parseFault } from '../rig/faults/parse.ts';
import type { FaultSpec } from '../rig/faults/spec.ts';
import { withClusterOptions } from './clusters.ts';
import { type FaultFlags, injectAndTell } from './injection.ts';
import { wholeSeconds } from './numbers.ts';
import { help } from './output.ts';

const SHAPE = '{"id", "fault", "members", "shows", "seen"}; exit code 2 where it was not seen to bite';

const withFaultOptions = (command: Command): Command =>
  withClusterOptions(command)
    .option('--as <id>', 'its name, for rig heal (default: that of the fault)', parseId)
    .option('--for <seconds>', 'heal it after so long, or at Ctrl-C', wholeSeconds(1, 99_999))
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

/** Throws `invalid` for what could not be told from an option, or does not fit a line. */
function parseId(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._ -]{0,62}$/.test(text)) return text;
  throw new RigError('invalid', `'${text}' is no name for a fault`, {
    next: 'Use 1-63 of A-Z, a-z, 0-9, space and ._-, the first no sign.',
  });
}

/** In milliseconds. */
