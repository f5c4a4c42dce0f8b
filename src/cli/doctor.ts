// `rig doctor`: what the rig needs of this machine, found or not, and with
// `--fix` how it gets there.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { ROOT_FOLDER } from '../cluster/root.ts';
import { readSettings } from '../cluster/settings.ts';
import { EXIT_MACHINE } from '../rig/checks/exit-codes.ts';
import { connectEngine } from '../rig/docker/engine.ts';
import { ensureImages } from '../rig/docker/images.ts';
import { installBrowser } from '../rig/docker/install-browser.ts';
import { installCompose } from '../rig/docker/install-compose.ts';
import { installEngine } from '../rig/docker/install-engine.ts';
import { examine, type Finding, type Machine, NEEDS } from '../rig/docker/needs.ts';
import { fetchPrograms } from './fetch-programs.ts';
import { fitted } from './fitted.ts';
import { help, printJson } from './output.ts';
import { PROCESS_NEEDS, PROCESS_PACKAGES } from './process-needs.ts';

const ALL_NEEDS = [...NEEDS, ...PROCESS_NEEDS];
const INDENT = ' '.repeat(9);
/** Below this there is no room for a column of titles. */
const LEAST_COLUMNS = 64;

interface DoctorOptions {
  readonly fix?: boolean;
  readonly tests?: boolean;
  readonly json?: boolean;
}

export function registerDoctor(program: Command): void {
  program
    .command('doctor')
    .option('--fix', 'get what is missing: Docker and Compose as root on Debian or Ubuntu, and the images')
    .option('--tests', 'with --fix: what only the tests of the rig itself need, too')
    .option('--json', 'print the findings as JSON')
    .addHelpText(
      'after',
      help(
        ['rig doctor', 'rig doctor --fix'],
        '[{"id", "title", "required", "found", "detail", "withoutIt", "next"}]',
      ),
    )
    .action(async (options: DoctorOptions) => {
      const machine = { engine: readSettings().engine, root: ROOT_FOLDER };
      let findings = await examine(machine, ALL_NEEDS);
      if (options.fix && (await fix(machine, findings, options)))
        findings = await examine(machine, ALL_NEEDS);
      if (options.json === true) printJson(findings);
      else process.stdout.write(report(findings));
      if (findings.some(({ found, required }) => required && !found)) process.exitCode = EXIT_MACHINE;
    });
}

/** Installs or builds what is missing and can be had; true when it did anything. */
async function fix(
  machine: Machine,
  findings: readonly Finding[],
  { tests = false }: DoctorOptions,
): Promise<boolean> {
  const missing = (id: string): boolean => findings.some((finding) => finding.id === id && !finding.found);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  if (missing('engine')) {
    await installEngine({ clock: createSystemClock(), engine: machine.engine, onProgress });
  }
  if (missing('compose')) await installCompose({ onProgress });
  if (missing('images')) {
    await ensureImages(await connectEngine(machine.engine), { root: machine.root, onProgress });
  }
  if (tests && missing('browser')) await installBrowser({ onProgress });
  const programs = tests ? Object.keys(PROCESS_PACKAGES).filter(missing) : [];
  if (programs.length > 0) {
    const packages = programs.flatMap((id) => PROCESS_PACKAGES[id] ?? []);
    await fetchPrograms({ packages, root: machine.root, onProgress });
  }
  return ['engine', 'compose', 'images', ...(tests ? ['browser'] : []), ...programs].some(missing);
}

/** A line a need; what is missing gets a second one with what that means and what to do. */
function report(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ title }) => title.length));
  const isNarrow = (process.stdout.columns ?? LEAST_COLUMNS) < LEAST_COLUMNS;
  return findings
    .map(({ title, found, required, detail, withoutIt, next }) => {
      const mark = found ? 'ok     ' : required ? 'MISSING' : 'absent ';
      const lines = [`${mark}  ${isNarrow ? `${title}:` : `${title.padEnd(width)} `} ${detail}`];
      if (!found) lines.push(`${INDENT}without it: ${withoutIt}; to get it: ${next}`);
      return lines.map((line) => `${fitted(line, INDENT)}\n`).join('');
    })
    .join('');
}
