// What the engine makes of clones, moves, drains and the balance, with agents that are played.

import { expect, it } from '@jest/globals';
import { createLog, type LogLine } from '../../src/base/log.ts';
import { gibToBytes } from '../../src/base/units.ts';
import { createEngine } from '../../src/daemon/engine/engine.ts';
import type { Author } from '../../src/model/changes.ts';
import {
  condemned,
  delayed,
  MOVE_FAILED_PREFIX,
  newClone,
  requested,
  tasked,
} from '../../src/model/changes.ts';
import { isOnItsWay, isStuck, type MoveTask, reservationsOf, type Volume } from '../../src/model/volume.ts';
import { clock, LEASE_TTL_SECONDS, random } from '../support/cluster.ts';
import { type PlayedCluster, playAgents } from '../support/played-agents.ts';
import { idOf, sized } from '../unit/daemon/engine/support.ts';
import { onEveryStore } from './suite.ts';

const CLIENT: Author = { writer: { role: 'api', node: 'a', term: null }, nowMs: 0 };
const MAX_MOVES = 2;

const isReady = ({ state }: Volume): boolean => state === 'ready';
const isReadyOn =
  (name: string) =>
  ({ state, node }: Volume): boolean =>
    state === 'ready' && node === name;
const moveTask = (node: string | null): MoveTask => ({ kind: 'move', cause: 'asked', node, copy: null });
const isUnaskedMove = ({ state, control: { task } }: Volume): boolean =>
  state === 'moving' && task?.kind === 'move' && task.cause !== 'asked';
const mostAtATime = ({ history }: PlayedCluster): number =>
  Math.max(...history.map((volumes) => volumes.filter(isUnaskedMove).length));
const reservedGib = (volumes: readonly Volume[], name: string): number =>
  volumes
    .flatMap(reservationsOf)
    .filter(({ node }) => node === name)
    .reduce((sum, { bytes }) => sum + bytes / gibToBytes(1), 0);

onEveryStore('the engine', ({ backend }) => {
  async function start() {
    const cluster = await playAgents(backend().connect());
    const kv = backend().connect();
    const stopping = new AbortController();
    const lines: LogLine[] = [];
    const write = (line: string): void => void lines.push(JSON.parse(line) as LogLine);
    const log = createLog({ write, nowMs: clock.nowMs, level: 'info', fields: {} });
    const ports = { kv, clock, random, log, node: 'a', leaseTtlSeconds: LEASE_TTL_SECONDS };
    const ended = createEngine({ ...ports, maxMoves: MAX_MOVES, rebalancePercent: 20 }).run(stopping.signal);
    return {
      ...cluster,
      lines,
      [Symbol.asyncDispose]: async () => {
        stopping.abort();
        await ended;
        await kv.close();
        await cluster[Symbol.asyncDispose]();
      },
    };
  }

  it('has a clone made on the node of its parent, and a clone of that one too', async () => {
    await using cluster = await start();
    await cluster.join('a');
    await cluster.join('b', { capacity: 20, available: 20 });
    const order = { name: 'copy', meta: {}, requested: { reserved_size: 1, constraints: {} }, exports: [] };
    await cluster.put(newClone(idOf(3), { ...order, parentId: idOf(2) }, CLIENT));
    await cluster.put(newClone(idOf(2), { ...order, parentId: idOf(1) }, CLIENT));
    await cluster.until(idOf(2), 'a reason', ({ control }) => control.error?.includes('is gone') === true);
    await cluster.put(sized(1, 'a', 1));
    await cluster.until(idOf(2), 'the clone', isReadyOn('a'));
    await cluster.until(idOf(3), 'the clone of the clone', isReadyOn('a'));
    expect(cluster.lines).toContainEqual(
      expect.objectContaining({ event: 'volume.clone-granted', volume: idOf(2), parent: idOf(1), to: 'a' }),
    );
  });

  it('moves a volume to the node that a client names', async () => {
    await using cluster = await start();
    for (const name of ['a', 'b', 'c']) await cluster.join(name);
    await cluster.put(tasked(sized(1, 'a', 1), moveTask('c'), CLIENT));
    const moved = await cluster.until(idOf(1), 'the move', isReadyOn('c'));
    expect(moved.control).toMatchObject({ task: null, error: null });
    expect(cluster.lines).toContainEqual(
      expect.objectContaining({ event: 'volume.move-granted', cause: 'asked', from: 'a', to: 'c' }),
    );
    await cluster.put(tasked(moved, moveTask('away'), CLIENT));
    const waiting = await cluster.until(idOf(1), 'a reason', ({ control }) => control.error !== null);
    expect(waiting).toMatchObject({ state: 'pending', node: 'c', control: { error: 'node away is away' } });
    await cluster.join('away');
    await cluster.until(idOf(1), 'the other move', isReadyOn('away'));
  });

  it('moves what grows beyond its node as soon as there is a node for it', async () => {
    await using cluster = await start();
    await cluster.join('a');
    await cluster.put(requested(sized(1, 'a', 1), { reserved_size: 12, constraints: {} }, CLIENT));
    const waiting = await cluster.until(idOf(1), 'a reason', ({ control }) => control.error !== null);
    expect(waiting).toMatchObject({
      state: 'pending',
      control: { error: expect.stringMatching(/11 GiB more/) },
    });
    await cluster.join('b', { capacity: 16, available: 16 });
    const moved = await cluster.until(idOf(1), 'the move', isReadyOn('b'));
    expect(moved.actual?.reserved_size).toBe(12);
  });

  it('empties a draining node, a few volumes at a time', async () => {
    await using cluster = await start();
    const ids = [1, 2, 3, 4, 5, 6].map(idOf);
    await cluster.join('a');
    await cluster.join('b', { capacity: 3, available: 3 });
    // One after the other: the oldest leave first.
    for (const index of ids.keys()) await cluster.put(sized(index + 1, 'a', 1));
    cluster.hold(isOnItsWay);
    await cluster.drain('a');
    await cluster.until(idOf(1), 'the first to go', isOnItsWay);
    cluster.hold(() => false);
    // Three are away, and the others say why they aren't.
    const stuck = await cluster.until(idOf(6), 'a reason', ({ control }) => control.error !== null);
    expect(stuck).toMatchObject({ state: 'ready', node: 'a' });
    expect(stuck.control.error).toMatch(/draining/);
    await cluster.join('c');
    for (const id of ids) {
      const { node, control } = await cluster.until(id, 'it to be elsewhere', (volume) => {
        return isReady(volume) && volume.node !== 'a';
      });
      expect(control.error).toBeNull();
      expect(['b', 'c']).toContain(node);
    }
    expect(mostAtATime(cluster)).toBe(MAX_MOVES);
    for (const volumes of cluster.history) expect(reservedGib(volumes, 'b')).toBeLessThanOrEqual(3);
  });

  it('gives a node that joins its part', async () => {
    await using cluster = await start();
    await cluster.join('a');
    for (const index of [1, 2, 3, 4, 5, 6, 7, 8]) await cluster.put(sized(index, 'a', 1));
    await cluster.join('b');
    for (const index of [7, 8]) await cluster.until(idOf(index), 'it to be settled', isReady);
    // 40 % is the average; 60 % is where giving ends.
    const { volumes } = await balance(cluster);
    expect(reservedGib(volumes, 'a')).toBe(6);
    expect(reservedGib(volumes, 'b')).toBe(2);
    expect(mostAtATime(cluster)).toBeLessThanOrEqual(MAX_MOVES);
    const moves = cluster.lines.filter(({ event }) => event === 'volume.move-granted');
    expect(moves).toHaveLength(2);
    expect(moves).toContainEqual(expect.objectContaining({ cause: 'rebalance', from: 'a', to: 'b' }));
  });

  it('calls a move off that does not get on, and sends the volume elsewhere', async () => {
    await using cluster = await start();
    await cluster.join('a');
    await cluster.join('b', { capacity: 20, available: 20 });
    await cluster.join('c');
    cluster.hold(isOnItsWay);
    await cluster.put(sized(1, 'a', 1));
    await cluster.drain('a');
    const leaving = await cluster.until(idOf(1), 'it to be on its way', isOnItsWay);
    expect(leaving.control.task).toMatchObject({ node: 'b', cause: 'drain' });
    const author: Author = { writer: { role: 'agent', node: 'a', term: null }, nowMs: 0 };
    await cluster.put(delayed(leaving, `${MOVE_FAILED_PREFIX}no space`, author));
    const again = await cluster.until(idOf(1), 'the other move', (volume) => {
      const { task } = volume.control;
      return isOnItsWay(volume) && task?.kind === 'move' && task.node !== 'b';
    });
    expect(again.control).toMatchObject({ error: null, task: { node: 'c', cause: 'drain' } });
    cluster.hold(() => false);
    await cluster.until(idOf(1), 'it to be there', isReadyOn('c'));
    expect(cluster.lines).toContainEqual(
      expect.objectContaining({
        event: 'volume.move-cancelled',
        reason: 'the move to node b was called off: no space',
      }),
    );
  });

  it('takes a clone back from a node that dies, so that it can be deleted', async () => {
    await using cluster = await start();
    await cluster.join('a');
    await cluster.join('b');
    cluster.hold(({ state }) => state === 'cloning');
    const order = { name: 'copy', meta: {}, requested: { reserved_size: 1, constraints: {} }, exports: [] };
    await cluster.put(sized(1, 'a', 1));
    await cluster.put(newClone(idOf(2), { ...order, parentId: idOf(1) }, CLIENT));
    await cluster.until(idOf(2), 'it to be made', ({ state }) => state === 'cloning');
    await cluster.leave('a');
    const stuck = await cluster.until(idOf(2), 'it to be taken back', isStuck);
    expect(stuck).toMatchObject({ state: 'pending', node: null });
    expect(stuck.control.error).toBe('node a, where its parent is, is away');
    await cluster.put(condemned(stuck, CLIENT));
    await cluster.gone(idOf(2));
  });

  it('calls a move off when the new node dies, and finds another', async () => {
    await using cluster = await start();
    for (const name of ['a', 'b']) await cluster.join(name);
    cluster.hold(isOnItsWay);
    await cluster.put(tasked(sized(1, 'a', 1), moveTask(null), CLIENT));
    await cluster.until(idOf(1), 'it to be on its way', isOnItsWay);
    await cluster.leave('b');
    await cluster.until(idOf(1), 'the cancellation', ({ state }) => state === 'pending');
    cluster.hold(() => false);
    await cluster.join('c');
    await cluster.until(idOf(1), 'the other move', isReadyOn('c'));
    expect(cluster.lines).toContainEqual(
      expect.objectContaining({
        event: 'volume.move-cancelled',
        reason: 'the move to node b was called off: that node is away',
      }),
    );
  });
});

/** The cluster when two volumes have arrived on b and nothing moves. */
async function balance(cluster: PlayedCluster): Promise<{ readonly volumes: readonly Volume[] }> {
  for (const index of [1, 2]) await cluster.until(idOf(index), 'it to have moved', isReadyOn('b'));
  return { volumes: cluster.history.at(-1) ?? [] };
}
