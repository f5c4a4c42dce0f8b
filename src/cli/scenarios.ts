// `rig scenarios`: what there is to run.

import type { Command } from 'commander';
import { CHAOS } from '../rig/chaos/scenario.ts';
import { SCENARIOS } from '../rig/scenarios/catalogue.ts';
import { fitted } from './fitted.ts';

export function registerScenarios(program: Command): void {
  program.command('scenarios').action(() => {
    for (const { name, title } of [...SCENARIOS, CHAOS])
      process.stdout.write(`${name}\n${fitted(`    ${title}`, '    ')}\n`);
  });
}
