import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { HttpResponse } from '../../../../src/rig/deployment.ts';
import { followNodes } from '../../../../src/rig/overlay/follow-nodes.ts';
import { parseEndpoints } from '../../../../src/rig/overlay/nodes.ts';
import { createManualClock, type ManualClock } from '../../../support/manual-clock.ts';

/** An API that has nodes to tell of, streams, and a switch. */
interface PlayedApi {
  isUp: boolean;
  nodes: readonly string[];
  /** Says that something has happened, to all who follow. */
  tell(): void;
  /** Ends all streams. */
  hangUp(): void;
  lists: number;
}

let clock: ManualClock;
let apis: Map<string, PlayedApi>;
let seen: string[];
let lines: string[];
let stop: AbortController;
let following: Promise<void>;

const silent = { debug: () => undefined, child: () => silent } as never;

function play(
  nodes: readonly string[],
): PlayedApi & { open(signal?: AbortSignal): AsyncIterable<Uint8Array> } {
  const wakes = new Set<(text: string | undefined) => void>();
  const sendAll = (text: string | undefined): void => {
    for (const wake of [...wakes]) wake(text);
  };
  return {
    isUp: true,
    nodes,
    lists: 0,
    tell: () => sendAll('id: 7\nevent: node\ndata: {}\n\n'),
    hangUp: () => sendAll(undefined),
    async *open(signal) {
      yield new TextEncoder().encode('id: 6\n\n');
      for (;;) {
        const text = await new Promise<string | undefined>((resolve) => {
          wakes.add(resolve);
          signal?.addEventListener('abort', () => resolve(undefined));
        });
        wakes.clear();
        if (text === undefined) return;
        yield new TextEncoder().encode(text);
      }
    },
  };
}

const answer = (status: number, json?: unknown, body: HttpResponse['body'] = null): HttpResponse => ({
  status,
  headers: { get: () => null },
  body,
  text: async () => '',
  json: async () => json,
});

beforeEach(() => {
  clock = createManualClock();
  seen = [];
  lines = [];
  stop = new AbortController();
  const both = { a: play(['a', 'b']), b: play(['a', 'b']) };
  apis = new Map(Object.entries(both));
  const say = (event: string, { why }: { readonly why?: string }): void =>
    void lines.push(why === undefined ? event : `${event}: ${why}`);
  following = followNodes({
    clock,
    log: { ...(silent as object), info: say, warn: say, error: say } as never,
    seeds: parseEndpoints('a:80,z:80'),
    signal: stop.signal,
    resolve: async (host) => {
      if (host === 'z') throw new Error('no such host');
      return host;
    },
    onNodes: (nodes) => seen.push(nodes.map(({ name }) => name).join()),
    fetch: async (url, { signal } = {}) => {
      const { hostname, pathname, searchParams } = new URL(url);
      const api = both[hostname as 'a' | 'b'] as ReturnType<typeof play> | undefined;
      if (api?.isUp !== true) throw new TypeError('fetch failed', { cause: new Error(`no ${hostname}`) });
      if (pathname === '/events') return answer(200, undefined, api.open(signal));
      api.lists += 1;
      // Pages of one node each.
      const after = searchParams.get('after') ?? '';
      const [name, ...more] = api.nodes.filter((each) => each > after);
      const nodes = name === undefined ? [] : [{ name, address: name, roles: ['api'], alive: true }];
      return answer(200, { nodes, next: more.length > 0 ? name : null });
    },
  });
});
afterEach(async () => {
  stop.abort();
  for (const api of apis.values()) api.hangUp();
  await clock.advance(0);
  await following;
  expect(clock.pendingTimers).toBe(0);
});

const api = (name: string): PlayedApi => apis.get(name) as PlayedApi;

it('lists all pages at first, and again at every event', async () => {
  await clock.advance(1);
  expect(seen).toEqual(['a,b']);
  api('a').nodes = ['a', 'b', 'c'];
  api('a').tell();
  await clock.advance(1);
  expect(seen).toEqual(['a,b', 'a,b,c']);
});

it('finds without any event that a node was forgotten', async () => {
  await clock.advance(1);
  api('a').nodes = ['a'];
  await clock.advance(9_000);
  expect(seen).toEqual(['a,b']);
  await clock.advance(1_000);
  expect(seen).toEqual(['a,b', 'a']);
});

it('goes on through another node that it knows when the first dies, and says so once', async () => {
  await clock.advance(1);
  api('a').isUp = false;
  api('b').nodes = ['a', 'b', 'c'];
  api('a').hangUp();
  await clock.advance(200);
  expect(seen.at(-1)).toBe('a,b,c');
  expect(lines).toEqual(['nodes.unfollowed: the stream of events has ended', 'nodes.followed']);
});

it('says why nobody can be reached', async () => {
  await clock.advance(1);
  for (const each of apis.values()) each.isUp = false;
  api('a').tell();
  await clock.advance(1);
  expect(lines).toEqual(['nodes.unfollowed: fetch failed: no a']);
});

it('keeps the last list while nobody answers, and finds whoever answers first', async () => {
  await clock.advance(1);
  for (const each of apis.values()) each.isUp = false;
  api('a').hangUp();
  await clock.advance(60_000);
  expect(seen).toEqual(['a,b']);
  expect(lines).toEqual(['nodes.unfollowed: the stream of events has ended']);
  api('b').isUp = true;
  await clock.advance(1_000);
  expect(seen).toEqual(['a,b', 'a,b']);
  expect(lines).toEqual(['nodes.unfollowed: the stream of events has ended', 'nodes.followed']);
});
