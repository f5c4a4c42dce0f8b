// The members that an etcd has, from whichever answers. Whoever answers needs no leader for that, and no disk.

import { RigError } from '../../base/errors.ts';
import type { Deployment } from '../deployment.ts';
import { type Endpoint, textOf } from '../overlay/nodes.ts';
import { parseMembers } from './targets.ts';

const CALL_TIMEOUT_MS = 2_000;

/** Throws `unavailable` when nobody answers. */
export async function findEtcd(
  fetch: Deployment['fetch'],
  known: readonly Endpoint[],
): Promise<readonly Endpoint[]> {
  let failure: unknown;
  for (const endpoint of known) {
    try {
      const response = await fetch(`http://${textOf(endpoint)}/v3/cluster/member/list`, {
        method: 'POST',
        body: '{"linearizable":false}',
        timeoutMs: CALL_TIMEOUT_MS,
      });
      if (response.status !== 200) throw new RigError('unavailable', `etcd answers ${response.status}`);
      return parseMembers(await response.json());
    } catch (error) {
      failure = error;
    }
  }
  throw new RigError('unavailable', 'no member of etcd answers', { cause: failure });
}
