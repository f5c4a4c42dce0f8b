// The rig's command line: one file a subcommand. Exit codes are those of
// README: 0 valid, 1 invalid, 2 unknown, 3 the rig or the machine is at fault.

import { Command, CommanderError } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE } from '../rig/checks/judge.ts';
import { explain } from './explain.ts';

type Register = (program: Command) => void;

/** Loaded only when asked for: most of what one command needs another doesn't. */
const SUBCOMMANDS: Readonly<Record<string, () => Promise<Register>>> = {
  doctor: async () => (await import('./doctor.ts')).registerDoctor,
  images: async () => (await import('./images.ts')).registerImages,
  up: async () => (await import('./up.ts')).registerUp,
  down: async () => (await import('./down.ts')).registerDown,
  scenarios: async () => (await import('./scenarios.ts')).registerScenarios,
  run: async () => (await import('./run.ts')).registerRun,
  replay: async () => (await import('./replay.ts')).registerReplay,
  shrink: async () => (await import('./shrink.ts')).registerShrink,
  faults: async () => (await import('./faults.ts')).registerFaults,
  reap: async () => (await import('./reap.ts')).registerReap,
  logs: async () => (await import('./logs.ts')).registerLogs,
  check: async () => (await import('./check.ts')).registerCheck,
  summary: async () => (await import('./summary.ts')).registerSummary,
  diff: async () => (await import('./diff.ts')).registerDiff,
  render: async () => (await import('./render.ts')).registerRender,
  fleet: async () => (await import('./fleet.ts')).registerFleet,
  sim: async () => (await import('./sim.ts')).registerSim,
  mirror: async () => (await import('./mirror.ts')).registerMirror,
  bench: async () => (await import('./bench.ts')).registerBench,
};

/** Runs one command; resolves to the exit code. Never rejects: what went wrong is told on stderr. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const named = argv.slice(2).find((argument) => !argument.startsWith('-'));
  const known = named !== undefined && Object.hasOwn(SUBCOMMANDS, named) ? named : undefined;
  const help = known === undefined ? 'rig --help' : `rig ${known} --help`;
  const program = new Command('rig')
    .description('A system-test rig for Cobalt: clusters in containers, faults, and verdicts.')
    .option('--debug', 'print the stack of an error')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(explainUsage(text, help)) });
  try {
    const wanted = known === undefined ? Object.keys(SUBCOMMANDS) : [known];
    // A subcommand inherits the settings above only when it is made after them.
    for (const name of wanted) (await SUBCOMMANDS[name]?.())?.(program);
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has written its line already; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_MACHINE;
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    const failure = RigError.from(error);
    process.stderr.write(`rig: ${explain(failure)}\n${debug ? `${stackOf(failure)}\n` : ''}`);
    return EXIT_MACHINE;
  }
}

/** Commander's `error: …`, which may go on with a guess on a second line. */
function explainUsage(text: string, help: string): string {
  return `rig: ${oneLine(text.replace(/^error: /, ''))}; see ${help}\n`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

function stackOf(error: RigError): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
