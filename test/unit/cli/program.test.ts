// What every subcommand has to offer to whoever does not know it yet.

import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../src/cli/program.ts';

/** A command and all below it, by how they are called. */
function family(command: Command, path = ''): readonly (readonly [string, Command])[] {
  return [[path, command], ...below(command).flatMap((one) => family(one, `${path} ${one.name()}`.trim()))];
}

const below = (command: Command): readonly Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== 'help');

/** As it is printed, with what comes after the options. */
function helpOf(command: Command, columns = 80): string {
  let text = '';
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
    getOutHelpWidth: () => columns,
  });
  command.outputHelp();
  return text;
}

/** That print what is no data: a file, figures for people, a script for a shell, a page; or go on until they are ended. */
const WITHOUT_JSON = /^(render|bench .*|completion|summary|fleet)$/;

describe('the command line', () => {
  it('has a summary, an example and, for scripts, JSON of a shape that is told, for each command', async () => {
    const all = family(await createProgram('completion')).filter(([, one]) => below(one).length === 0);
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

  it.each([40, 80])('fits a terminal of %d columns with every help, but for examples', async (columns) => {
    const before = process.stdout.columns;
    try {
      process.stdout.columns = columns;
      const all = family(await createProgram('completion'));
      expect(all.length).toBeGreaterThan(50);
      for (const [path, command] of all) {
        const wide = helpOf(command, columns)
          .split('\n')
          // An example is there to be copied.
          .filter((line) => line.length > columns && !/^ {2}(rig|eval) /.test(line));
        expect([path, wide]).toEqual([path, []]);
      }
    } finally {
      process.stdout.columns = before;
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
