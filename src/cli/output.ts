// What commands print in the same way: JSON for scripts, examples in their help.

import { fitted } from './fitted.ts';

export const printJson = (value: unknown): void =>
  void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);

/** Of a help, what comes after the options. `json` is the shape that --json prints. */
export function help(examples: readonly string[], json?: string): string {
  const shape = json === undefined ? '' : `\n\n${fitted(`With --json: ${json}`, '  ')}`;
  return `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}${shape}`;
}
