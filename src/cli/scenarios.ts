// `rig scenarios`: what there is to run.

import type { Command } from 'commander';
import { SCENARIOS } from '../rig/scenarios/catalogue.ts';

export function registerScenarios(program: Command): void {
  program
    .command('scenarios')
    .description('list the scenarios and what each shows')
    .action(() => {
      for (const { name, title } of SCENARIOS) process.stdout.write(`${name}\n    ${title}\n`);
    });
}
