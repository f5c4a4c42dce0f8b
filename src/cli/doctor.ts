// `rig doctor`: what the rig needs of this machine, found or not, and with
// `--fix` how it gets there.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { EXIT_MACHINE } from '../rig/checks/judge.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';
import { installCompose } from '../rig/docker/install-compose.ts';
import { installEngine } from '../rig/docker/install-engine.ts';
import { examine, type Finding, type Machine } from '../rig/docker/needs.ts';
import { ROOT_FOLDER } from './root.ts';
import { readSettings } from './settings.ts';

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .description('tell what the rig needs of this machine, and what it found')
    .option('--fix', 'get what is missing: Docker and Compose as root on Debian or Ubuntu, and the images')
    .option('--json', 'print the findings as JSON')
    .action(async (options: { readonly fix?: boolean; readonly json?: boolean }) => {
      const machine = { engine: readSettings().engine, root: ROOT_FOLDER };
      let findings = await examine(machine);
      if (options.fix && (await fix(machine, findings))) findings = await examine(machine);
      process.stdout.write(options.json ? `${JSON.stringify(findings, null, 2)}\n` : report(findings));
      if (findings.some(({ found, required }) => required && !found)) process.exitCode = EXIT_MACHINE;
    });
}

/** Installs or builds what is missing and can be had; true when it did anything. */
async function fix(machine: Machine, findings: readonly Finding[]): Promise<boolean> {
  const missing = (id: string): boolean => findings.some((finding) => finding.id === id && !finding.found);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  if (missing('engine')) {
    await installEngine({ clock: createSystemClock(), engine: machine.engine, onProgress });
  }
  if (missing('compose')) await installCompose({ onProgress });
  if (missing('images')) {
    await ensureImages(await connectEngine(machine.engine), { root: machine.root, onProgress });
  }
  return ['engine', 'compose', 'images'].some(missing);
}

/** A line a need; what is missing gets a second one with what that means and what to do. */
function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ title }) => title.length));
  return findings
    .map(({ title, found, required, detail, withoutIt, next }) => {
      const mark = found ? 'ok     ' : required ? 'MISSING' : 'absent ';
      const advice = found ? '' : `\n         without it: ${withoutIt}; to get it: ${next}`;
      return `${mark}  ${title.padEnd(width)}  ${detail}${advice}\n`;
    })
    .join('');
}
