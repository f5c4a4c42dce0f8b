// Moves that fail, where they are sent next, and how long they wait.

import { describe, expect, it } from '@jest/globals';
import { plan } from '../../../../src/daemon/engine/plan.ts';
import { observeSetbacks, type Setbacks } from '../../../../src/daemon/engine/setbacks.ts';
import type { ClusterState } from '../../../../src/daemon/engine/state.ts';
import { delayed, handedOver, MOVE_FAILED_PREFIX } from '../../../../src/model/changes.ts';
import { isOnItsWay, isStuck, type MoveTask, type Volume } from '../../../../src/model/volume.ts';
import { nodeOf } from '../../model/volumes.ts';
import { AGENT, applied, idOf, NOW, sized, specOf, state } from './support.ts';

const HOUR_MS = 3_600_000;
const COPY = '0000000000000001-0';
const moveTask = (cause: MoveTask['cause'], node: string | null): MoveTask => ({
  kind: 'move',
  cause,
  node,
  copy: null,
});
const failing = (node = 'b'): Volume =>
  sized(
    1,
    'a',
    1,
    { state: 'moving' },
    { task: moveTask('drain', node), error: `${MOVE_FAILED_PREFIX}no space` },
  );
const ready = sized(1, 'a', 1);

/** The setbacks known after the volume was seen as it is in each, at the time that goes with it. */
const seen = (...sights: readonly (readonly [Volume, number])[]): Setbacks =>
  sights.reduce<Setbacks>(
    (known, [volume, nowMs]) => observeSetbacks(known, { state: state({ volumes: [volume] }), nowMs }),
    new Map(),
  );

describe('what is known of moves that failed', () => {
  it('counts each once, from when it was first seen, and by node', () => {
    const first = { node: 'b', reason: 'no space', count: 1, seenMs: 10, isOpen: true };
    expect(seen([failing(), 10], [failing(), 20])).toEqual(new Map([[ready.id, [first]]]));
    const closed = { ...first, isOpen: false };
    expect(seen([failing(), 10], [ready, 20])).toEqual(new Map([[ready.id, [closed]]]));
    expect(seen([failing(), 10], [ready, 20], [failing(), 30])).toEqual(
      new Map([[ready.id, [{ ...first, count: 2, seenMs: 30 }]]]),
    );
    expect(seen([failing(), 10], [failing('c'), 20])).toEqual(
      new Map([[ready.id, [closed, { ...first, node: 'c', seenMs: 20 }]]]),
    );
  });

  it('is forgotten with the volume, when it is there at last, and in the end', () => {
    const gone = observeSetbacks(seen([failing(), 10]), { state: state({}), nowMs: 20 });
    expect(gone.size).toBe(0);
    expect(seen([failing(), 10], [{ ...ready, node: 'b' }, 20]).size).toBe(0);
    expect(seen([failing(), 10], [ready, HOUR_MS]).size).toBe(1);
    expect(seen([failing(), 10], [ready, HOUR_MS + 10]).size).toBe(0);
  });

  it('is nothing of what another reason is given for, or is handed over', () => {
    const other = { ...failing(), control: { ...failing().control, error: 'the move was interrupted' } };
    const there = { ...failing(), node: 'b' };
    for (const volume of [other, there]) expect(seen([volume, 10]).size).toBe(0);
  });
});

/** Plays an engine, and an agent that fails moves to some nodes and never ends others, for an hour. */
function play(start: ClusterState, fails: readonly string[]) {
  let now = start;
  let setbacks: Setbacks = new Map();
  const starts: { readonly node: string; readonly atMs: number }[] = [];
  for (let nowMs = 0; nowMs < HOUR_MS; ) {
    setbacks = observeSetbacks(setbacks, { state: now, nowMs });
    const { actions, wakeAtMs } = plan(now, { ...NOW, nowMs, setbacks });
    for (const action of actions) if (action.kind === 'move') starts.push({ node: action.node, atMs: nowMs });
    now = actions.reduce(applied, now);
    let isWorked = false;
    const volumes = now.volumes.map((volume) => {
      const { task, error } = volume.control;
      if (!isOnItsWay(volume) || task?.kind !== 'move' || !fails.includes(task.node ?? '')) return volume;
      if (error !== null) return volume;
      isWorked = true;
      return delayed(volume, `${MOVE_FAILED_PREFIX}no space`, AGENT);
    });
    now = { ...now, volumes };
    if (actions.length > 0 || isWorked) nowMs += 10;
    else if (wakeAtMs === null) return { end: now, starts };
    else nowMs = wakeAtMs;
  }
  return { end: now, starts };
}

describe('a move that fails', () => {
  const specs = new Map([['a', specOf({ draining: true })]]);
  const three = [nodeOf('a'), nodeOf('b', { capacity: 20, available: 20 }), nodeOf('c')];

  it('off a draining node goes to another at once, and no more to the first', () => {
    const { end, starts } = play(state({ nodes: three, specs, volumes: [ready] }), ['b']);
    expect(starts.map(({ node }) => node)).toEqual(['b', 'c']);
    expect(end.volumes).toMatchObject([{ state: 'moving', control: { task: { node: 'c' }, error: null } }]);
  });

  it('with nowhere else to go is begun again with growing patience, and says why meanwhile', () => {
    const { end, starts } = play(state({ specs, volumes: [ready] }), ['b']);
    const waitsMs = starts.slice(1).map(({ atMs }, index) => atMs - (starts[index]?.atMs ?? 0));
    expect(waitsMs.slice(0, 7).map((ms) => Math.floor(ms / 1000))).toEqual([1, 2, 4, 8, 16, 32, 60]);
    expect(Math.max(...waitsMs)).toBeLessThan(61_000);
    expect(end.volumes[0]?.control.error).toMatch(
      /^node a is draining, and the move to node b .*: no space$/,
    );
  });

  it.each([
    ['b', ['b', 'c', 'b']],
    [null, ['b', 'c', 'b']],
  ] as const)('that a client asked for (%s) can be changed while it waits', (node, first) => {
    const asked = sized(1, 'a', 1, { state: 'pending' }, { task: moveTask('asked', node) });
    const { end, starts } = play(state({ nodes: three, volumes: [asked] }), ['b', 'c']);
    expect(starts.slice(0, first.length).map(({ node }) => node)).toEqual(first);
    expect(end.volumes.map(isStuck)).toEqual([true]);
    expect(end.volumes[0]?.control.error).toMatch(/^the move to node [bc] was called off: no space$/);
  });

  it('for the balance is made up for by others', () => {
    const volumes = [3, 3, 3].map((gib, index) => sized(index + 1, 'a', gib));
    const nodes = [nodeOf('a'), nodeOf('b')];
    const setbacks = seen([failing(), NOW.nowMs]);
    const { actions, wakeAtMs } = plan(state({ nodes, volumes }), { ...NOW, rebalancePercent: 20, setbacks });
    expect(actions).toMatchObject([{ kind: 'move', volume: { id: idOf(2) }, cause: 'rebalance' }]);
    expect(wakeAtMs).toBe(NOW.nowMs + 1000);
  });
});

/** Plays an engine that may begin one move at a time, for an hour; moves of some volumes fail after five minutes. */
function takeTurns(start: ClusterState, { fails, percent }: { fails: readonly string[]; percent: number }) {
  let now = start;
  let setbacks: Setbacks = new Map();
  const begunAtMs = new Map<string, number>();
  for (let nowMs = 0; nowMs < HOUR_MS; nowMs += 10_000) {
    const volumes = now.volumes.map((volume) => {
      if (!isOnItsWay(volume)) return volume;
      const isFailing = fails.includes(volume.id);
      const lastedMs = nowMs - (begunAtMs.get(volume.id) ?? nowMs);
      if (!isFailing) return { ...handedOver(volume, COPY, AGENT), state: 'ready' as const };
      return lastedMs < 300_000 ? volume : delayed(volume, `${MOVE_FAILED_PREFIX}no way`, AGENT);
    });
    now = { ...now, volumes };
    setbacks = observeSetbacks(setbacks, { state: now, nowMs });
    const { actions } = plan(now, { ...NOW, nowMs, setbacks, maxMoves: 1, rebalancePercent: percent });
    for (const action of actions) if (action.kind === 'move') begunAtMs.set(action.volume.id, nowMs);
    now = actions.reduce(applied, now);
  }
  return now.volumes.filter(({ node }) => node === 'b').map(({ id }) => id);
}

describe('moves that get nowhere', () => {
  const stuck = [1, 2, 3].map(idOf);

  it('let all others off a draining node in turn', () => {
    const volumes = [1, 2, 3, 4, 5].map((index) => sized(index, 'a', 1));
    const specs = new Map([['a', specOf({ draining: true })]]);
    expect(takeTurns(state({ specs, volumes }), { fails: stuck, percent: 100 })).toEqual([idOf(4), idOf(5)]);
  });

  it('let others make the balance', () => {
    const volumes = [1, 2, 3, 4, 5].map((index) => sized(index, 'a', index < 4 ? 2 : 1));
    expect(takeTurns(state({ volumes }), { fails: stuck, percent: 20 })).toEqual([idOf(4), idOf(5)]);
  });
});
