// The life of a cluster, whatever the mode: where it is deployed, and when it is
// ready for work.

import type { Clock } from '../base/clock.ts';
import { waitFor } from '../base/retry.ts';
import { LEADER_KEY, nodeKey, ROOT } from '../kv/keys.ts';
import type { Kv } from '../kv/kv.ts';
import type { Role } from '../model/volume.ts';
import type { Deployment } from './deployment.ts';
import type { DeployRequest } from './run.ts';

/** A place where clusters can be deployed. */
export interface Mode extends AsyncDisposable {
  deploy(request: DeployRequest): Promise<Deployment>;
}

/** Waits until a volume can be created on any node, and will become ready: all are registered and answer, and an engine leads. */
export async function awaitReady(options: {
  readonly deployment: Deployment;
  readonly clock: Clock;
  readonly openKv: (endpoint: string) => Kv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { deployment, clock, openKv, timeoutMs, signal } = options;
  const { nodes } = deployment.topology;
  const having = (role: Role): readonly string[] =>
    nodes.filter(({ roles }) => roles.includes(role)).map(({ name }) => name);
  // Only an agent registers its node, and only an engine leads.
  const wanted = [...(having('engine').length > 0 ? [LEADER_KEY] : []), ...having('agent').map(nodeKey)];
  let missing = wanted;
  const kv = openKv(await deployment.etcd());
  try {
    await waitFor({
      clock,
      what: 'every node to register and an engine to lead',
      timeoutMs,
      intervalMs: 20,
      signal,
      probe: async () => {
        const present = new Set((await kv.list(ROOT)).kvs.map(({ key }) => key));
        missing = wanted.filter((key) => !present.has(key));
        return missing.length === 0 ? true : undefined;
      },
      describe: () => `etcd lacks ${missing.join(', ')}`,
    });
    await Promise.all(having('api').map((node) => awaitReadiness({ ...options, node })));
  } finally {
    await kv.close();
  }
}

async function awaitReadiness(options: {
  readonly deployment: Deployment;
  readonly clock: Clock;
  readonly node: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { deployment, clock, node, timeoutMs, signal } = options;
  await waitFor({
    clock,
    what: `the API of ${node} to be ready`,
    timeoutMs,
    intervalMs: 20,
    signal,
    probe: async () => {
      const { status } = await fetch(`${await deployment.api(node)}/readyz`, {
        signal: AbortSignal.timeout(2_000),
      });
      return status === 200 ? true : undefined;
    },
  });
}
