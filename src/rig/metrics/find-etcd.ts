// The members that an etcd has, from whichever answers. Whoever answers needs no leader for that, and no disk.

import { RigError } from '../../base/errors.ts';
import type { Deployment } from '../deployment.ts';
import { type Endpoint, textOf } from '../overlay/nodes.ts';
import type { Resolve } from '../overlay/resolve.ts';
import { parseMembers } from './targets.ts';

const CALL_TIMEOUT_MS = 2_000;

/** Throws `unavailable` when nobody answers. */
export async function findEtcd(
  { fetch, resolve }: { readonly fetch: Deployment['fetch']; readonly resolve: Resolve },
  known: readonly Endpoint[],
): Promise<readonly Endpoint[]> {
  let failure: unknown;
  for (const { host, port } of known) {
    try {
      const response = await fetch(
        `http://${textOf({ host: await resolve(host), port })}/v3/cluster/member/list`,
        {
          method: 'POST',
          body: '{"linearizable":false}',
          timeoutMs: CALL_TIMEOUT_MS,
        },
      );
      if (response.status !== 200) throw new RigError('unavailable', `etcd answers ${response.status}`);
      return parseMembers(await response.json());
    } catch (error) {
      failure = error;
    }
  }
  throw new RigError('unavailable', 'no member of etcd answers', { cause: failure });
}
