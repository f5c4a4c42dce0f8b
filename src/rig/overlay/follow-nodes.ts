// Keeps up with the nodes that a cluster has, through the API of whichever answers. A stream of events tells when to
// look again, and the list what there is; so it needs no Last-Event-ID: a list that is read once the stream stands
// misses nothing. While no API answers, the last list holds.

import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { Deployment } from '../deployment.ts';
import { serverSentEvents } from '../sse.ts';
import { type Endpoint, type ListedNode, type PlacedNode, parseNodesPage, placed, textOf } from './nodes.ts';
import type { Resolve } from './resolve.ts';

/** A node that is forgotten is none that joins or leaves: no event tells of it. */
const LIST_EVERY_MS = 10_000;
const CALL_TIMEOUT_MS = 3_000;
/** Before the next one is asked, whatever became of the last. */
const PAUSE_MS = 200;

export interface FollowNodesOptions {
  readonly clock: Clock;
  readonly fetch: Deployment['fetch'];
  readonly resolve: Resolve;
  readonly log: Log;
  /** Who is asked before any node is known, and when none of those answers. The first one's port is that of all nodes. */
  readonly seeds: readonly [Endpoint, ...Endpoint[]];
  readonly onNodes: (nodes: readonly PlacedNode[]) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the signal has fired. Never rejects. */
export async function followNodes(options: FollowNodesOptions): Promise<void> {
  const { clock, log, seeds, signal } = options;
  let known: readonly PlacedNode[] = [];
  /** Who is still to be asked, before all are again. */
  let turn: readonly Endpoint[] = [];
  /** Said once, not at every try: who is away may be so for long. */
  let isLost = false;
  while (!signal.aborted) {
    const [endpoint = seeds[0], ...others] = turn.length > 0 ? turn : [...known, ...seeds];
    turn = others;
    const api = textOf(endpoint);
    const failure = await visit(options, endpoint, (list) => {
      if (isLost) log.info('nodes.followed', { api });
      isLost = false;
      known = placed(known, list, seeds[0].port);
      turn = [...known, ...seeds].filter((other) => textOf(other) !== api);
      options.onNodes(known);
    });
    if (signal.aborted) return;
    if (!isLost) log.warn('nodes.unfollowed', { api, why: whyOf(failure) });
    isLost = true;
    await clock.sleep(PAUSE_MS, signal).catch(() => undefined);
  }
}

/** What fetch() throws says nothing; its cause does. */
function whyOf({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message;
  return cause.message === message ? whyOf(cause) : `${message}: ${whyOf(cause)}`;
}

/** Follows through one API for as long as it answers, and resolves to why it ended. */
async function visit(
  options: FollowNodesOptions,
  { host, port }: Endpoint,
  take: (list: readonly ListedNode[]) => void,
): Promise<RigError> {
  const { clock, fetch, resolve } = options;
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const relent = clock.after(CALL_TIMEOUT_MS, () => over.abort());
  try {
    const api = `http://${textOf({ host: await resolve(host), port })}`;
    const response = await fetch(`${api}/events?kinds=node`, {
      headers: { accept: 'text/event-stream' },
      signal,
    });
    relent();
    if (response.status !== 200 || response.body === null)
      throw new RigError('unavailable', `/events answers ${response.status}`);
    const news = createNews();
    const reading = read(response.body, news).catch((cause: unknown) => news.end(cause));
    try {
      for (;;) {
        take(await list(options, api));
        await news.wait(clock, LIST_EVERY_MS);
      }
    } finally {
      over.abort();
      await reading;
    }
  } catch (cause) {
    return RigError.from(cause, { code: 'unavailable' });
  } finally {
    relent();
    over.abort();
  }
}

async function read(stream: AsyncIterable<Uint8Array>, news: News): Promise<void> {
  for await (const { data } of serverSentEvents(stream)) if (data !== undefined) news.add();
  throw new RigError('unavailable', 'the stream of events has ended');
}

/** All pages. */
async function list({ fetch, log, signal }: FollowNodesOptions, api: string): Promise<readonly ListedNode[]> {
  const all: ListedNode[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const url = `${api}/nodes?alive=any${after === '' ? '' : `&after=${after}`}`;
    const response = await fetch(url, { timeoutMs: CALL_TIMEOUT_MS, signal });
    if (response.status !== 200) throw new RigError('unavailable', `/nodes answers ${response.status}`);
    const { nodes, refused, next } = parseNodesPage(await response.json());
    if (refused > 0) log.warn('nodes.refused', { count: refused });
    all.push(...nodes);
    after = next;
  }
  return all;
}

interface News {
  add(): void;
  end(cause: unknown): void;
  /** Until there is something new, or the time is over. Rejects when the stream has ended. */
  wait(clock: Clock, ms: number): Promise<void>;
}

/** However many events come while nobody waits, they are one reason to look again. */
function createNews(): News {
  let isDue = false;
  let failure: RigError | undefined;
  let wake = (): void => undefined;
  return {
    add: () => {
      isDue = true;
      wake();
    },
    end: (cause) => {
      failure = RigError.from(cause, { code: 'unavailable' });
      wake();
    },
    wait: async (clock, ms) => {
      if (!isDue && failure === undefined) {
        await new Promise<void>((resolve) => {
          const cancel = clock.after(ms, resolve);
          wake = () => {
            cancel();
            resolve();
          };
        });
      }
      isDue = false;
      if (failure !== undefined) throw failure;
    },
  };
}
