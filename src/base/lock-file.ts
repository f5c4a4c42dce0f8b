// A file that one process at a time has: it names its holder, who may have died.

import { linkSync, rmSync, writeFileSync } from 'node:fs';

/**
 * False when somebody has it. `text` names this process, and is in the file from the first moment: a lock without a
 * name in it would be nobody's for ever. Throws what writing it does.
 */
export function takeLockFile(path: string, text: string): boolean {
  const own = `${path}.${process.pid}`;
  try {
    writeFileSync(own, text);
    linkSync(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Whether there is such a process, be it somebody else's. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
