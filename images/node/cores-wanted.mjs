// How much of a core each role of this node's daemon wants when there is nothing to do:
// what its process and the children that it has waited for have used (proc_pid_stat(5):
// utime, stime, cutime, cstime), of the time in which it wasn't kept waiting for a core
// (/proc/<pid>/schedstat, of its main thread). On a machine that is shared by many a role
// that spins uses little; but it never rests, so that it wants a core there, too, and one
// that works and rests by turns wants no more than it does where it is alone.
//
// Work ends and spinning doesn't: so the last of several looks counts, and there are no
// more of them once every role has been seen to rest. Each is twice as long as the one
// before it: a wait for a core is counted when it has ended, and that may be late.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FIRST_LOOK_MS = 500;
const LONGEST_LOOK_MS = 8000;
/** Of a core; what keeping a lease and comparing a disk takes is less. */
const RESTS_BELOW = 0.2;
/** USER_HZ, the same on every architecture that Node.js runs on. */
const MS_PER_TICK = 10;

/** `<pid> <command line>` a line; no line when no role runs. */
async function rolePids() {
  const { stdout } = await run('pgrep', ['-a', '-f', 'daemon/main\\.ts --role [a-z]+$']).catch((error) => {
    if (error.code === 1) return { stdout: '' };
    throw error;
  });
  return [...stdout.matchAll(/^(\d+) .* --role ([a-z]+)$/gm)].map(([, pid, role]) => ({ pid, role }));
}

/** By process; one that has ended meanwhile is left out. */
async function processes(pids) {
  const found = await Promise.all(
    (await pids()).map(async ({ pid, role }) => {
      const [stat, schedstat] = await Promise.all(
        ['stat', 'schedstat'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
      );
      if (stat === '') return [];
      // The command's name, in parentheses, may hold anything; behind it the 3rd field comes first.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const usedMs = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * MS_PER_TICK;
      // Nanoseconds: run, waited. Kernels may be built without; then it was never kept waiting.
      const waitedMs = Number(schedstat.split(' ')[1] ?? 0) / 1e6;
      return [[pid, { role, usedMs, freeMs: performance.now() - waitedMs }]];
    }),
  );
  return new Map(found.flat());
}

/**
 * {role: cores}; a role whose process was not there for one whole look is missing. `pids` answers with
 * [{pid, role}], default: of this machine.
 */
export async function coresWanted(pids = rolePids) {
  const wanted = {};
  let before = await processes(pids);
  for (let lookMs = FIRST_LOOK_MS; lookMs <= LONGEST_LOOK_MS; lookMs *= 2) {
    await sleep(lookMs);
    const after = await processes(pids);
    for (const [pid, { role, usedMs, freeMs }] of after) {
      const first = before.get(pid);
      if (first === undefined) continue;
      const used = usedMs - first.usedMs;
      // What it has used it was free to use.
      const cores = used === 0 ? 0 : used / Math.max(used, freeMs - first.freeMs);
      wanted[role] = Math.round(cores * 1000) / 1000;
    }
    before = after;
    if ([...after.values()].every(({ role }) => wanted[role] < RESTS_BELOW)) break;
  }
  return wanted;
}
