// What commands print in the same way: JSON for scripts, examples in their help.

import { fitted } from './fitted.ts';

export const printJson = (value: unknown): void =>
  void process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);

/** A line for people. */
export const printLine = (line: string): void => void process.stdout.write(`${fitted(line, '  ')}\n`);

/** Of a help, what comes after the options. `json` is the shape that --json prints; `note` is what else to know. */
export function help(examples: readonly string[], json?: string, note?: string): string {
  const shape = json === undefined ? '' : `\n\n${fitted(`With --json: ${json}`, '  ')}`;
  const rest = note === undefined ? '' : `\n\n${fitted(note, '')}`;
  return `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}${shape}${rest}`;
}
