// The process mode: etcd's own program and the daemon's real processes on this machine, each
// member with addresses of its own in 127.0.0.0/8, without Docker and without root.
//
// Where it is simpler than a cluster in containers:
// - disks, NFS servers and the consumers' clients are models in memory (src/hardware), which the rig has: a node's
//   disk outlives its processes, and its exports end with them. Calls of theirs take no time but on a slow disk;
// - links are TCP connections through relays of the rig's: what is dropped is held back and sent again, as TCP does,
//   connections open at once, and `loss`, `latency` and `bandwidth` are of messages and not of packets;
// - clocks are set wrong by libfaketime, as in containers, where it is installed;
// - who runs out of memory loses its largest process again and again, by the rig and not by the kernel;
// - there are no images: a rolling upgrade is to what there is;
// - a cluster ends with its rig: none is kept.

import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { SYSTEM_PATH } from '../base/command.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Deployment } from '../rig/deployment.ts';
import type { Mode } from '../rig/lifecycle.ts';
import { deployProcesses } from './deployment.ts';
import { endLeftovers } from './leftovers.ts';
import { claimPlace, type Place } from './place.ts';
import { endProcessesOfRun } from './processes.ts';
import { daemonEntry, findFakeTime } from './programs.ts';

export async function openProcessMode(options: {
  readonly clock: Clock;
  readonly random: Random;
  /** The project's root: the sources that daemons run from where nothing else is said. */
  readonly root: string;
  readonly etcdBinary: string;
  readonly onProgress: (what: string) => void;
}): Promise<Mode> {
  const { clock, random, root, etcdBinary, onProgress } = options;
  for (const runId of await endLeftovers(clock)) onProgress(`ended what was left of run ${runId}`);
  const ends = new Set<() => Promise<void>>();
  return {
    deploy: async ({ topology, runId, absentAtStart, outlivesRig }) => {
      if (outlivesRig === true) {
        throw new RigError('unsupported', 'a cluster of processes ends with its rig');
      }
      const main = daemonEntry(topology, root);
      const place = await claimPlace(random, runId);
      const guard = startGuard(runId, place);
      let deployment: Deployment | undefined;
      /** Relays and hardware, which the rig has itself, go with the rest. */
      const finish = (): Promise<void> => deployment?.teardown() ?? end();
      const end = once(async () => {
        ends.delete(finish);
        await endProcessesOfRun(clock, runId);
        await place[Symbol.asyncDispose]();
        await dismiss(guard);
      });
      ends.add(finish);
      const cacheFolder = join(root, 'node_modules/.cache/cobalt-rig/compiled');
      const common = { topology, runId, clock, random, place, etcdBinary, absentAtStart };
      try {
        deployment = await deployProcesses({
          ...common,
          main,
          cacheFolder,
          fakeTime: findFakeTime(root),
          onEnd: end,
        });
        return deployment;
      } catch (error) {
        await end();
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const finish of [...ends]) await finish();
    },
  };
}

/** In a session of its own, so that it outlives whatever ends the rig. */
function startGuard(runId: string, { folder }: Place): ChildProcess {
  const guard = spawn(process.execPath, [join(import.meta.dirname, 'guard.ts'), runId, folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { PATH: SYSTEM_PATH },
  });
  guard.on('error', () => undefined);
  guard.unref();
  return guard;
}

async function dismiss(guard: ChildProcess): Promise<void> {
  if (guard.exitCode !== null || guard.signalCode !== null || guard.pid === undefined) return;
  const gone = new Promise((resolve) => guard.once('exit', resolve));
  guard.ref();
  guard.stdin?.end();
  await gone;
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
