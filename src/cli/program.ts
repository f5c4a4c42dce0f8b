// The rig's command line: one file a subcommand. Exit codes are those of
// README: 0 valid, 1 invalid, 2 unknown, 3 the rig or the machine is at fault.

import { Command, CommanderError } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE } from '../rig/checks/exit-codes.ts';
import { explain } from './explain.ts';
import { fitted } from './fitted.ts';
import { HELP_LAYOUT } from './help-layout.ts';
import { SUBCOMMANDS } from './subcommands.ts';

/** By name, in the order of `rig --help`. */
const ALL = Object.values(SUBCOMMANDS).flatMap((group) => Object.entries(group));

/** Runs one command; resolves to the exit code. Never rejects: what went wrong is told on stderr. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  const known = namedIn(argv.slice(2));
  let program = new Command();
  try {
    program = await createProgram(known);
    await program.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has written its line already; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_MACHINE;
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    const failure = RigError.from(error);
    const line = fitted(`rig: ${explain(failure)}`, '  ', process.stderr.columns);
    process.stderr.write(`${line}\n${debug ? `${stackOf(failure)}\n` : ''}`);
    return EXIT_MACHINE;
  }
}

/**
 * The command line with that subcommand whole, and all others by name and summary only: to be listed, and guessed at.
 * With one that tells of the others, all are whole.
 */
export async function createProgram(known: string | undefined): Promise<Command> {
  const help = known === undefined ? 'rig --help' : `rig ${known} --help`;
  const program = new Command('rig')
    .description('A system-test rig for Cobalt: clusters in containers, faults, and verdicts.')
    .option('--debug', 'print the stack of an error')
    .exitOverride()
    .configureHelp(HELP_LAYOUT)
    .configureOutput({ outputError: (text, write) => write(explainUsage(text, help)) });
  const isWhole = ALL.some(([name, { tellsOfAll }]) => name === known && tellsOfAll === true);
  // A subcommand inherits the settings above only when it is made after them.
  for (const [heading, group] of Object.entries(SUBCOMMANDS)) {
    program.commandsGroup(heading);
    for (const [name, { summary, load, alias }] of Object.entries(group)) {
      if (isWhole || name === known) (await load())(program);
      else program.command(name);
      const command = program.commands.at(-1)?.description(summary);
      if (alias !== undefined) command?.alias(alias);
    }
  }
  return program;
}

/** The subcommand that is meant by these arguments, by its own name; undefined when there is no such. */
function namedIn(args: readonly string[]): string | undefined {
  const words = args.filter((argument) => !argument.startsWith('-'));
  const word = words[0] === 'help' ? words[1] : words[0];
  return ALL.find(([name, { alias }]) => word !== undefined && (name === word || alias === word))?.[0];
}

/** Commander's `error: …`, which may go on with a guess on a second line. */
function explainUsage(text: string, help: string): string {
  const line = `rig: ${oneLine(text.replace(/^error: /, '')).replace(/\.$/, '')}; see ${help}`;
  return `${fitted(line, '  ', process.stderr.columns)}\n`;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

function stackOf(error: RigError): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
