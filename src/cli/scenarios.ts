// `rig scenarios`: what there is to run.

import type { Command } from 'commander';
import { CHAOS } from '../rig/chaos/scenario.ts';
import { SCENARIOS } from '../rig/scenarios/catalogue.ts';
import { coloured } from './colour.ts';
import { fitted } from './fitted.ts';
import { help, printJson } from './output.ts';

export function registerScenarios(program: Command): void {
  program
    .command('scenarios')
    .option('--json', 'print them as JSON')
    .addHelpText('after', help(['rig scenarios', 'rig scenarios --json'], '[{"name", "title"}]'))
    .action(({ json }: { readonly json?: boolean }) => {
      const all = [...SCENARIOS, CHAOS].map(({ name, title }) => ({ name, title }));
      if (json === true) {
        printJson(all);
        return;
      }
      for (const { name, title } of all)
        process.stdout.write(`${coloured('strong', name)}\n${fitted(`    ${title}`, '    ')}\n`);
    });
}
