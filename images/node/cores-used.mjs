// How much of a core each role of this node's daemon uses when there is nothing to do,
// by what the kernel has counted for its process and for the children that it has waited
// for (proc_pid_stat(5): utime, stime, cutime, cstime).
//
// Work ends and spinning doesn't: so it is the least of several looks, and there are no
// more of them once every role has been seen to rest.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LOOK_MS = 500;
const MOST_LOOKS = 10;
/** Of a core; what a role that waits uses to keep its lease and to compare its disk is less. */
const RESTS_BELOW = 0.2;
/** USER_HZ, the same on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** `<pid> <command line>` a line; no line when no role runs. */
async function rolePids() {
  const { stdout } = await run('pgrep', ['-a', '-f', 'daemon/main\\.ts --role [a-z]+$']).catch((error) => {
    if (error.code === 1) return { stdout: '' };
    throw error;
  });
  return [...stdout.matchAll(/^(\d+) .* --role ([a-z]+)$/gm)].map(([, pid, role]) => ({ pid, role }));
}

/** By process; one that has ended meanwhile is left out. */
async function ticks() {
  const found = await Promise.all(
    (await rolePids()).map(async ({ pid, role }) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
      if (stat === undefined) return [];
      // The command's name, in parentheses, may hold anything; behind it the 3rd field comes first.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const used = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return [[pid, { role, used, atMs: performance.now() }]];
    }),
  );
  return new Map(found.flat());
}

/** {role: cores}; a role whose process was not there for one whole look is missing. */
export async function coresUsed() {
  const least = {};
  let before = await ticks();
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    await sleep(LOOK_MS);
    const after = await ticks();
    for (const [pid, { role, used, atMs }] of after) {
      const first = before.get(pid);
      if (first === undefined) continue;
      const cores = ((used - first.used) * 1000) / TICKS_PER_SECOND / (atMs - first.atMs);
      least[role] = Math.min(least[role] ?? Infinity, Math.round(cores * 1000) / 1000);
    }
    before = after;
    if ([...after.values()].every(({ role }) => least[role] < RESTS_BELOW)) break;
  }
  return least;
}
