// What a running fleet answers of itself, read by another version of the rig perhaps.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import type { FleetStatus } from '../fleet/answers.ts';

const count = z.number().nonnegative();

const statusSchema = z.object({
  nodes: count,
  on: count,
  registered: count,
  exports: count,
  etcdReachable: z.boolean(),
  heartbeats: count,
  heartbeatP50Ms: count,
  heartbeatP99Ms: count,
  failedHeartbeats: count,
  lostLeases: count,
  transactions: count,
  failedTransactions: count,
  warnings: count,
  errors: count,
});

export function parseStatus(body: string): FleetStatus {
  try {
    return statusSchema.parse(JSON.parse(body));
  } catch (cause) {
    throw new RigError('machine', 'the fleet that runs answers with what this rig does not understand', {
      next: 'Ask it with the rig that started it.',
      cause,
    });
  }
}
