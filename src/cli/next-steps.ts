// What to type next, as somebody can who has started this rig as they have.

import { isAbsolute, relative } from 'node:path';
import type { Started } from '../cluster/settings.ts';
import { fitted } from './fitted.ts';

/** `npm run rig --`, `./scripts/rig`, or `rig` where that is installed. */
export function rigCommand({ script, npmScript }: Started, folder: string): string {
  if (npmScript === 'rig') return 'npm run rig --';
  if (script === undefined) return 'rig';
  if (!isAbsolute(script)) return script;
  const near = relative(folder, script);
  const path = near.startsWith('..') ? near : `./${near}`;
  return path.length < script.length ? path : script;
}

/** Commands with what comes of each; below each other where both don't fit beside each other. */
export function nextSteps(
  steps: readonly (readonly [command: string, what: string])[],
  columns: number | undefined = process.stdout.columns,
): readonly string[] {
  const width = Math.max(...steps.map(([command]) => command.length));
  const beside = steps.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`);
  if (!columns || beside.every((line) => line.length <= columns)) return beside;
  return steps.flatMap(([command, what]) => [fitted(`  # ${what}`, '  # ', columns), `  ${command}`]);
}
