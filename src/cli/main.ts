#!/usr/bin/env node
// The rig's command line: one file a subcommand. Exit codes are those of
// design.md: 0 valid, 1 invalid, 2 unknown, 3 the rig or the machine is at fault.

import { Command, CommanderError } from 'commander';
import { RigError } from '../base/errors.ts';
import { EXIT_MACHINE } from '../rig/checks/judge.ts';
import { registerBench } from './bench-up.ts';
import { registerCheck } from './check.ts';
import { registerDoctor } from './doctor.ts';
import { registerImages } from './images.ts';
import { registerRender } from './render.ts';
import { registerRun } from './run.ts';
import { registerUp } from './up.ts';

const SUBCOMMANDS: readonly ((program: Command) => void)[] = [
  registerDoctor,
  registerImages,
  registerUp,
  registerRun,
  registerCheck,
  registerRender,
  registerBench,
];

const program = new Command('rig')
  .description('A system-test rig for Cobalt: clusters in containers, faults, and verdicts.')
  .option('--debug', 'print the stack of an error')
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'rig: ')) });

// A subcommand inherits the settings above only when it is made after them.
for (const register of SUBCOMMANDS) register(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has written its line already; asking for help is no error.
    process.exitCode = error.exitCode === 0 ? 0 : EXIT_MACHINE;
  } else {
    process.stderr.write(`${explain(RigError.from(error))}\n`);
    process.exitCode = EXIT_MACHINE;
  }
}

/** One line: what happened, and what to do. */
function explain(error: RigError): string {
  const bug = error.code === 'internal' ? 'this is a bug; run again with --debug for the stack' : undefined;
  const advice = error.next ?? bug;
  const line = `rig: ${error.message.replaceAll('\n', ' ')}${advice === undefined ? '' : `; ${advice}`}`;
  return program.opts<{ debug?: boolean }>().debug ? `${line}\n${stackOf(error)}` : line;
}

function stackOf(error: RigError): string {
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack}` : '';
  return `${error.stack}${cause}`;
}
