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
const FREEZES_WITHIN_MS = 5_000;
const FREEZE_INTERVAL_MS = 100;

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
    else if (act === 'pause') await freeze(context, member);
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

/**
 * The kernel may refuse while processes are just being started in the container, which on a busy machine takes them a
 * while: then again. Throws `conflict` when it goes on refusing, for that says nothing of the machine.
 */
async function freeze({ containers, clock }: ActContext, member: string): Promise<void> {
  const endMs = clock.monotonicMs() + FREEZES_WITHIN_MS;
  for (;;) {
    try {
      await containers.pause(member);
      return;
    } catch (error) {
      if (!/unable to freeze/.test(String(error))) throw error;
      if (clock.monotonicMs() >= endMs)
        throw new RigError('conflict', `cannot pause ${member}: the kernel can't freeze it`, {
          cause: error,
        });
      await clock.sleep(FREEZE_INTERVAL_MS);
    }
  }
}

/** Of a role's processes on a node: the one that there is, or none. */
export async function pidsOf(
  containers: Containers,
  { member, role }: { readonly member: string; readonly role: Role },
): Promise<readonly string[]> {
  const { stdout } = await containers.exec(member, ['pgrep', '-f', rolePattern(role)]);
  return stdout.split('\n').filter((line) => /^[0-9]+$/.test(line));
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
  const pids = await pidsOf(containers, target);
  if (pids.length === 0) {
    throw new RigError('conflict', `cannot ${act} the ${role} of ${member}: no such process runs there`);
  }
  const killed = await containers.exec(member, ['kill', `-${signal}`, ...pids]);
  if (killed.exitCode !== 0) {
    throw new RigError('conflict', `cannot ${act} the ${role} of ${member}: it ended by itself meanwhile`);
  }
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
