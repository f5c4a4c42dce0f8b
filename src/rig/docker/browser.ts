// A browser without a window, for the tests of report.html and of the console only.

import { RigError } from '../../base/errors.ts';
import { runCommand } from './command.ts';

/** Under which names it may be here. */
export const BROWSER_COMMANDS: readonly string[] = [
  'chromium',
  'chromium-headless-shell',
  'google-chrome',
  'chromium-browser',
];

/** Name and version. Throws `machine` when there is none. */
export async function browserVersion(): Promise<string> {
  for (const name of BROWSER_COMMANDS) {
    const version = await runCommand(name, ['--version'], { timeoutMs: 10_000 }).catch(() => undefined);
    if (version !== undefined) return version;
  }
  throw new RigError('machine', `none of ${BROWSER_COMMANDS.join(', ')} was found`);
}
