// The API of one node, without a transport: its ports made into a context.

import type { Clock } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Kv } from '../../kv/kv.ts';
import { joinFirst } from '../cluster.ts';
import { createEventHub, type EventHubOptions } from './events-hub.ts';
import { describeApi } from './openapi.ts';
import { createReadiness } from './readiness.ts';
import type { ApiContext, Protection } from './route.ts';
import { ROUTES } from './routes.ts';

export interface ApiOptions {
  readonly kv: Kv;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly node: string;
  /** Default: no metrics. */
  readonly metrics?: ApiContext['metrics'];
  /** Asks agents how much a volume holds. Default: nobody is asked, and agents alone refuse what doesn't fit. */
  readonly usage?: ApiContext['usage'];
  /** Streams of events at a time, and how many events are kept for them. Default: those of events-hub.ts. */
  readonly events?: Pick<EventHubOptions, 'maxStreams' | 'capacity'>;
  /** Whether callbacks may lead to the engine's own host. Default: false. */
  readonly loopbackCallbacks?: boolean;
  /** For the description. Default: none. */
  readonly protection?: Protection;
}

/** What `callRoute` needs. It keeps no state but a short-lived cache. */
export function createApiContext(options: ApiOptions): ApiContext {
  const { clock, random, log, node, usage, protection = { token: false, certificate: false } } = options;
  const kv = joinFirst({ kv: options.kv, random });
  let description: unknown;
  return {
    kv,
    clock,
    random,
    log,
    node,
    ...(usage === undefined ? {} : { usage }),
    loopbackCallbacks: options.loopbackCallbacks ?? false,
    events: createEventHub({ kv, clock, random, log, ...options.events }),
    isReady: createReadiness({ kv, clock }),
    metrics: options.metrics ?? (async () => ({ text: '', contentType: 'text/plain' })),
    description: () => {
      description ??= describeApi(ROUTES, protection);
      return description;
    },
  };
}
