// The life of a cluster, whatever the mode: where it is deployed, and when it is
// ready for work.

import type { Clock } from '../base/clock.ts';
import { waitFor } from '../base/retry.ts';
import type { Role } from '../model/volume.ts';
import type { Deployment } from './deployment.ts';
import type { Machine } from './machine.ts';
import type { DeployRequest } from './run.ts';
import { presentNodes } from './topology.ts';

/** A place where clusters can be deployed. */
export interface Mode extends AsyncDisposable {
  deploy(request: DeployRequest): Promise<Deployment>;
  /** That the clusters run on. Default: the rig's own. */
  readonly machine?: Machine;
}

/** Starting nodes need the processor more than those who ask whether they have started. */
const ASK_EVERY_MS = 100;

/**
 * Waits until a volume can be created through every API, and has every node to
 * go to: all that have an API say that they are ready, and list all that have an
 * agent. A cluster without an API can't be asked, and counts as ready.
 */
export async function awaitReady(options: {
  readonly deployment: Deployment;
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { deployment, clock, timeoutMs, signal } = options;
  const nodes = presentNodes(deployment.topology);
  const having = (role: Role): readonly string[] =>
    nodes.filter(({ roles }) => roles.includes(role)).map(({ name }) => name);
  await Promise.all(
    having('api').map((node) => {
      let missing = having('agent');
      return waitFor({
        clock,
        what: `the API of ${node} to be ready and to list every node`,
        timeoutMs,
        intervalMs: ASK_EVERY_MS,
        signal,
        probe: async () => {
          const answer = await deployment.fetch(`${await deployment.api(node)}/nodes`, { timeoutMs: 2_000 });
          if (answer.status !== 200) return undefined;
          const { nodes: found } = (await answer.json()) as { nodes: readonly { name: string }[] };
          missing = having('agent').filter((name) => !found.some((one) => one.name === name));
          return missing.length === 0 ? true : undefined;
        },
        describe: () => `it doesn't list ${missing.join(', ')}`,
      });
    }),
  );
}
