// `rig completion`: what a shell has to know to complete the rig's commands. Everything
// is written out, for a shell that asked the rig at each key would wait for it.

import { Argument, type Command } from 'commander';
import { FAULT_NAMES } from '../rig/faults/spec-schema.ts';
import { SCENARIOS } from '../rig/scenarios/catalogue.ts';
import { type Completion, SHELLS, type Shell, scriptFor } from './completion-script.ts';
import { help } from './output.ts';

/** What can follow a command besides its subcommands and options. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  run: ['all', 'chaos', ...SCENARIOS.map(({ name }) => name)],
  fault: FAULT_NAMES,
  completion: SHELLS,
};

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'bash, zsh or fish').choices(SHELLS))
    .addHelpText(
      'after',
      help([
        'rig completion bash > ~/.local/share/bash-completion/completions/rig',
        'rig completion zsh > ~/.zfunc/_rig',
        'rig completion fish > ~/.config/fish/completions/rig.fish',
        'eval "$(rig completion bash)"',
      ]),
    )
    .action((shell: Shell) => {
      process.stdout.write(scriptFor(shell, completionsOf(program, [])));
    });
}

/** Of a command and all below it, by how they are called. */
function completionsOf(command: Command, path: readonly string[]): readonly Completion[] {
  const options = command.options.map(({ long, description }) => ({ word: long ?? '', about: description }));
  const own: Completion = {
    path,
    subcommands: command.commands.map((one) => ({ word: one.name(), about: one.description() })),
    options: [...options, { word: '--help', about: 'display help for command' }],
    words: WORDS[path.join(' ')] ?? [],
  };
  return [own, ...command.commands.flatMap((one) => completionsOf(one, [...path, one.name()]))];
}
