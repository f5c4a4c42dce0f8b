// Carries out faults/acts.ts on real containers, and waits until the effect shows.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import { waitFor } from '../../base/retry.ts';
import type { Role } from '../../model/volume.ts';
import type { Act } from '../deployment.ts';
import { CONTAINER_ACTS, ROLE_SIGNALS, rolePattern, roleShows } from '../faults/acts.ts';
import { type Containers, engine } from './containers.ts';

/** An act on the engine may have to wait for a slow disk, never longer than this. */
const SHOWS_WITHIN_MS = 15_000;

interface ActContext {
  readonly containers: Containers;
  readonly clock: Clock;
}

export async function actOnContainer(context: ActContext, act: Act, member: string): Promise<void> {
  const { containers, clock } = context;
  const before = await containers.state(member);
  const rule = CONTAINER_ACTS[act];
  if (rule.refusedIn.includes(before)) {
    throw new RigError('conflict', `cannot ${act} ${member}: it is ${before}`);
  }
  const container = await containers.get(member);
  await engine(`${act} ${member}`, async () => {
    if (act === 'kill') await container.kill({ signal: 'SIGKILL' });
    else if (act === 'stop') await container.stop({ t: 10 });
    else if (act === 'start') await container.start();
    else if (act === 'pause') await container.pause();
    else await container.unpause();
  });
  let seen = before;
  await waitFor({
    clock,
    what: `${member} to be ${rule.shows.join(' or ')} after ${act}`,
    timeoutMs: SHOWS_WITHIN_MS,
    intervalMs: 10,
    probe: async () => {
      seen = await containers.state(member);
      return rule.shows.includes(seen) ? seen : undefined;
    },
    describe: () => seen,
  });
}

export async function actOnRole(
  context: ActContext,
  act: Act,
  target: { readonly member: string; readonly role: Role },
): Promise<void> {
  const { containers, clock } = context;
  const { member, role } = target;
  const signal = ROLE_SIGNALS[act];
  if (signal === undefined) throw new RigError('unsupported', `a role cannot be hit with ${act}`);
  const found = await containers.exec(member, ['pgrep', '-f', rolePattern(role)]);
  const pids = found.stdout.split('\n').filter((line) => /^[0-9]+$/.test(line));
  if (pids.length === 0) {
    throw new RigError('conflict', `cannot ${act} the ${role} of ${member}: no such process runs there`);
  }
  await containers.exec(member, ['kill', `-${signal}`, ...pids]);
  let seen = '';
  await waitFor({
    clock,
    what: `the ${role} of ${member} (pid ${pids.join(', ')}) to show ${act}`,
    timeoutMs: SHOWS_WITHIN_MS,
    intervalMs: 20,
    probe: async () => {
      const { stdout } = await containers.exec(member, ['ps', '-o', 'stat=', '-p', pids.join(',')]);
      seen = stdout.trim();
      // A zombie acts no more; only its parent has not asked yet.
      const states = seen.split('\n').filter((state) => state !== '' && !state.startsWith('Z'));
      return roleShows(act, states) ? true : undefined;
    },
    describe: () => `process states '${seen}'`,
  });
}
