// What becomes of a command that nobody can read: it goes on to its end, cleaning up included.

import { EXIT_MACHINE } from '../rig/checks/exit-codes.ts';

/** Fires when nobody reads stdout any more, or it takes nothing: for what would otherwise print until Ctrl-C. Told by the next line only. */
export function whenUnread(): AbortSignal {
  const unread = new AbortController();
  process.stdout.once('error', () => unread.abort());
  return unread.signal;
}

/** `rig check <run> | head` has read what it wanted. Output that is lost for another reason, such as a full disk, is no success. */
export function outliveOutput(): void {
  let lost: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') lost ??= error;
  });
  // Where else would it be told?
  process.stderr.on('error', () => undefined);
  process.once('exit', () => {
    if (lost === undefined) return;
    process.stderr.write(
      `rig: what was to be printed could not all be written: ${lost.message}; give stdout another place\n`,
    );
    process.exitCode ||= EXIT_MACHINE;
  });
}
