// What every subcommand has to offer to whoever does not know it yet.

import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../src/cli/program.ts';

/** A command and all below it that do something, by how they are called. */
function actions(command: Command, path = ''): readonly (readonly [string, Command])[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');
  if (below.length === 0) return [[path, command]];
  return below.flatMap((one) => actions(one, `${path} ${one.name()}`.trim()));
}

/** As it is printed, with what comes after the options. */
function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return text;
}

/** That print what is no data: a file, figures for people, a script for a shell, a page; or go on until they are ended. */
const WITHOUT_JSON = /^(render|bench .*|completion|summary|fleet)$/;

describe('the command line', () => {
  it('has a summary, an example and, for scripts, JSON of a shape that is told, for each command', async () => {
    const all = actions(await createProgram('completion'));
    expect(all.length).toBeGreaterThan(40);
    for (const [path, command] of all) {
      expect([path, command.description()]).toEqual([path, expect.stringMatching(/^\S.{10,}/)]);
      const [group = ''] = path.split(' ');
      const parent = command.parent?.name() === 'rig' ? '' : helpOf(command.parent as Command);
      const help = `${helpOf(command)}${parent}`;
      expect([path, help]).toEqual([
        path,
        expect.stringMatching(new RegExp(`Examples:\\n(.*\\n)*?  rig ${group}`)),
      ]);
      if (WITHOUT_JSON.test(path)) continue;
      expect([path, help]).toEqual([path, expect.stringMatching(/--json/)]);
      expect([path, help]).toEqual([path, expect.stringMatching(/With --json: \S/)]);
    }
  });

  it('fits the terminal with what comes after the options, but for examples', async () => {
    const { columns } = process.stdout;
    try {
      process.stdout.columns = 40;
      for (const [path, command] of actions(await createProgram('completion'))) {
        const [, after = ''] = helpOf(command).split(/^Examples:$/m);
        const wide = after
          .split('\n')
          // An example is there to be copied, and so is a word.
          .filter((line) => line.length > 40 && !/^ {2}(rig|eval) /.test(line) && line.trim().includes(' '));
        expect([path, wide]).toEqual([path, []]);
      }
    } finally {
      process.stdout.columns = columns;
    }
  });

  it('makes whole what is asked for, and only lists the rest', async () => {
    const program = await createProgram('kill');
    const options = (name: string): number =>
      program.commands.find((one) => one.name() === name)?.options.length ?? -1;
    expect(options('kill')).toBeGreaterThan(0);
    expect(options('run')).toBe(0);
  });
});
