// The API of one node, without a transport: its ports made into a context.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Kv } from '../../kv/kv.ts';
import { joinFirst } from '../cluster.ts';
import { describeApi } from './openapi.ts';
import { createReadiness } from './readiness.ts';
import type { ApiContext } from './route.ts';
import { ROUTES } from './routes.ts';

export interface ApiOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: string;
  /** Default: no metrics. */
  readonly metrics?: ApiContext['metrics'];
}

/** What `callRoute` needs. It keeps no state but a short-lived cache. */
export function createApiContext(options: ApiOptions): ApiContext {
  const { clock, random, log, node } = options;
  const kv = joinFirst({ kv: options.kv, random });
  let description: unknown;
  return {
    kv,
    clock,
    random,
    log,
    node,
    isReady: createReadiness({ kv, clock }),
    metrics: options.metrics ?? (async () => ({ text: '', contentType: 'text/plain' })),
    description: () => {
      description ??= describeApi(ROUTES);
      return description;
    },
  };
}
