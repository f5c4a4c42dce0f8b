// The stream of events over HTTP: what is told, and that resuming neither loses nor repeats anything.

import { expect, it } from '@jest/globals';
import { waitFor } from '../../src/base/retry.ts';
import { LEADER_KEY, nodeKey, volumeKey } from '../../src/kv/keys.ts';
import type { Kv, Write } from '../../src/kv/kv.ts';
import type { Volume } from '../../src/model/volume.ts';
import { clock, type TestCluster } from '../support/cluster.ts';
import { type EventClient, openEvents } from '../support/event-stream.ts';
import { actualOf, nodeOf, readyVolume } from '../unit/model/volumes.ts';
import { onEveryStore } from './suite.ts';

const ID = 'v0000000000000001';
const OTHER = 'v0000000000000002';
const API = { roles: ['api'] } as const;

const rule = (last: number) => ({ host: `10.0.0.${last}`, access: 'rw', squash: 'none' }) as const;
const volumeWith = (id: string, ...hosts: number[]): Volume =>
  readyVolume({ id, exports: hosts.map(rule), actual: actualOf({ exports: hosts.map(rule) }) });
const volume = (id: string, ...hosts: number[]): Write => ({
  kind: 'put',
  key: volumeKey(id),
  value: JSON.stringify(volumeWith(id, ...hosts)),
});

/** One revision. */
async function commit(kv: Kv, ...writes: Write[]): Promise<number> {
  return (await kv.transact({ compare: [], writes })).revision;
}

/** With node a, as its agent would have it. */
async function withNode({ kv }: TestCluster): Promise<number> {
  const node = nodeOf('a', { address: 'a.test' });
  return commit(kv, { kind: 'put', key: nodeKey('a'), value: JSON.stringify(node) });
}

const told = (...clients: readonly EventClient[]) =>
  clients.flatMap(({ received }) => received.map(({ event }) => event));
const upTo = (revision: number) => (received: EventClient['received']) =>
  received.at(-1)?.event.revision === revision && received.at(-1)?.id !== undefined;

onEveryStore('events', ({ start, backend }) => {
  it('begin now, and tell what a client has to do', async () => {
    await using cluster = await start({ a: API });
    const before = await withNode(cluster);
    await using client = await openEvents(cluster.node('a').url);
    expect(client.status).toBe(200);
    expect(client.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    await client.until('the bookmark', () => client.lastEventId !== undefined);
    expect(client.text).toMatch(/^retry: \d+\nid: \d+\n\n/);
    expect(Number(client.lastEventId)).toBeGreaterThanOrEqual(before);
    const revision = await commit(cluster.kv, volume(ID, 1));
    await client.until('the events', upTo(revision));
    expect(told(client)).toMatchObject([
      { kind: 'volume', revision, change: 'created', volume: ID, state: 'ready' },
      {
        kind: 'export',
        revision,
        mount: { server: 'a.test', path: `/${ID}` },
        clients: [{ host: '10.0.0.1', action: 'mount', access: 'rw' }],
      },
    ]);
    expect(client.text).toContain(`id: ${revision}\nevent: export\ndata: {`);
    expect(client.received.map(({ id }) => id)).toEqual([undefined, String(revision)]);
  });

  it('resume over restarts and nodes, each revision once and in order', async () => {
    await using cluster = await start({ a: API, b: API });
    const since = await withNode(cluster);
    const committed: number[] = [];
    let stop = false;
    const write = async (): Promise<number> => {
      for (let n = 0; ; n += 1) {
        const revision = await commit(cluster.kv, volume(ID, 1 + (n % 7)), volume(OTHER, 1 + (n % 5)));
        committed.push(revision);
        if (stop) return revision;
        // Others have to have their turns: the store in memory answers at once.
        await clock.sleep(1);
      }
    };
    const writing = write();
    const clients: EventClient[] = [];
    for (const [index, name] of ['a', 'b', 'a', 'a', 'b', 'a'].entries()) {
      if (index === 3) {
        await cluster.node('a').stop('api');
        await cluster.node('a').start('api');
      }
      const lastEventId = clients.at(-1)?.lastEventId ?? String(since);
      await using client = await openEvents(cluster.node(name).url, { lastEventId });
      await client.until(
        'some events',
        (received) => received.filter(({ id }) => id !== undefined).length >= 15,
      );
      clients.push(client);
    }
    stop = true;
    const end = await writing;
    const lastEventId = clients.at(-1)?.lastEventId;
    await using last = await openEvents(cluster.node('b').url, { lastEventId });
    await last.until('the end', upTo(end));
    await using whole = await openEvents(cluster.node('a').url, { query: `?since=${since}` });
    await whole.until('the end', upTo(end));
    // A client that was cut off within a revision gets all of it again.
    const complete = clients.map(({ received }) =>
      received.slice(0, received.findLastIndex(({ id }) => id !== undefined) + 1),
    );
    const pieced = [...complete.flat().map(({ event }) => event), ...told(last)];
    expect(pieced).toEqual(told(whole));
    const revisions = pieced.map(({ revision }) => revision);
    expect(revisions).toEqual(revisions.toSorted((x, y) => x - y));
    expect([...new Set(revisions)]).toEqual(committed);
  });

  it('never split a revision: who has had a part of it gets all of it again', async () => {
    await using cluster = await start({ a: API, b: API });
    const since = await withNode(cluster);
    const ids = [1, 2, 3].map((digit) => `v000000000000000${digit}`);
    const revision = await commit(cluster.kv, ...ids.map((id) => volume(id, 1)));
    await using first = await openEvents(cluster.node('a').url, { query: `?since=${since}` });
    await first.until('the revision', upTo(revision));
    expect(first.received.map(({ id }) => id)).toEqual([...Array(5).fill(undefined), String(revision)]);
    await using filtered = await openEvents(cluster.node('b').url, { query: `?since=${since}&kinds=volume` });
    await filtered.until('the revision', upTo(revision));
    expect(filtered.received.map(({ id }) => id)).toEqual([undefined, undefined, String(revision)]);
  });

  it('leave out what was not asked for', async () => {
    await using cluster = await start({ a: API });
    const since = await withNode(cluster);
    const leader = { node: 'a', instance: 'i', since: '2026-01-01T00:00:00.000Z' };
    await commit(cluster.kv, volume(ID, 1), volume(OTHER, 2));
    await commit(cluster.kv, { kind: 'put', key: LEADER_KEY, value: JSON.stringify(leader) });
    const end = await commit(cluster.kv, volume(ID, 1, 2), volume(OTHER));
    const { url } = cluster.node('a');
    await using one = await openEvents(url, { query: `?since=${since}&volume=${ID}&kinds=export,move` });
    await one.until('the end', upTo(end));
    expect(told(one)).toMatchObject([
      { kind: 'export', volume: ID, clients: [{ action: 'mount' }] },
      { kind: 'export', volume: ID, clients: [{ action: 'mount', host: '10.0.0.2' }] },
    ]);
    await using leaders = await openEvents(url, { query: `?since=${since}&kinds=leader` });
    await leaders.until('the leader', (received) => received.length > 0);
    expect(told(leaders)).toMatchObject([{ kind: 'leader', node: 'a' }]);
  });

  it('answer a revision that is compacted with a reset and all that there is', async () => {
    await using cluster = await start({ a: API, b: API });
    const since = await withNode(cluster);
    await using early = await openEvents(cluster.node('b').url);
    await early.until('the bookmark', () => early.lastEventId !== undefined);
    await commit(cluster.kv, volume(ID, 1));
    const last = await commit(cluster.kv, volume(ID, 1, 2));
    await early.until('both', upTo(last));
    await backend().compact(last);
    await using late = await openEvents(cluster.node('a').url, { lastEventId: String(since) });
    await late.until('the snapshot', (received) => received.at(-1)?.id !== undefined);
    expect(told(late)).toMatchObject([
      { kind: 'reset', reason: 'compacted', revision: last },
      { kind: 'snapshot', item: { of: 'node', node: 'a', address: 'a.test' } },
      { kind: 'snapshot', item: { of: 'leader', node: null } },
      { kind: 'snapshot', item: { of: 'volume', volume: ID, exports: [rule(1), rule(2)] } },
    ]);
    const next = await commit(cluster.kv, volume(ID));
    for (const client of [early, late]) await client.until('the next event', upTo(next));
    expect(told(early).some(({ kind }) => kind === 'reset')).toBe(false);
  });

  it('answer a revision of another store with a reset', async () => {
    await using cluster = await start({ a: API });
    const now = await withNode(cluster);
    await using client = await openEvents(cluster.node('a').url, { lastEventId: String(now + 1000) });
    await client.until('the snapshot', (received) => received.at(-1)?.id !== undefined);
    expect(told(client)[0]).toMatchObject({ kind: 'reset', reason: 'replaced' });
    const next = await commit(cluster.kv, volume(ID, 1));
    await client.until('the next event', upTo(next));
  });

  it.each([
    ['?kinds=volume,cheese', {}],
    ['?volume=1', {}],
    ['?since=-1', {}],
    ['?since=1e9', {}],
    ['?unknown=1', {}],
    ['', { 'last-event-id': 'yesterday' }],
    ['', { 'last-event-id': '9'.repeat(16) }],
  ])('refuse %s %j', async (query, headers) => {
    await using cluster = await start({ a: API });
    const answer = await cluster.node('a').call('GET', `/events${query}`, undefined, headers);
    expect(answer.status).toBe(400);
    expect(answer.json.error.fields).toHaveLength(1);
  });

  it('end when the API stops', async () => {
    await using cluster = await start({ a: API });
    await using client = await openEvents(cluster.node('a').url);
    await client.until('the bookmark', () => client.lastEventId !== undefined);
    const startedMs = clock.monotonicMs();
    await cluster.node('a').stop('api');
    await client.ended;
    expect(clock.monotonicMs() - startedMs).toBeLessThan(1000);
  });

  it('go on after an outage of etcd, without loss or repetition', async () => {
    await using cluster = await start({ a: API, b: API });
    const since = await withNode(cluster);
    await using client = await openEvents(cluster.node('a').url, { lastEventId: String(since) });
    await client.until('the bookmark', () => client.text !== '');
    const before = await commit(cluster.kv, volume(ID, 1));
    await client.until('the first', upTo(before));
    await backend().stop();
    const refused = await cluster.node('b').call('GET', '/events');
    expect(refused.status).toBe(503);
    expect(refused.ms).toBeLessThan(2000);
    await backend().start();
    const after = await waitFor({
      clock,
      what: 'a write',
      timeoutMs: 10_000,
      probe: () => commit(cluster.kv, volume(ID, 1, 2)),
    });
    await client.until('the second', upTo(after));
    const exports = told(client).filter(({ kind }) => kind === 'export');
    expect(exports.map(({ revision }) => revision)).toEqual([before, after]);
    expect(told(client).some(({ kind }) => kind === 'reset')).toBe(false);
  });
});
