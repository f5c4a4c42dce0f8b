import { describe, expect, it } from '@jest/globals';
import {
  type Author,
  assigned,
  completed,
  condemned,
  delayed,
  exported,
  failed,
  granted,
  moveCancelled,
  newVolume,
  reexported,
  requested,
  retried,
  tasked,
} from '../../../src/model/changes.ts';
import type { ExportRule } from '../../../src/model/export.ts';
import type { Role } from '../../../src/model/volume.ts';
import { actualOf, readyVolume, volumeOf } from './volumes.ts';

const NOW_MS = Date.parse('2026-06-01T12:00:00.000Z');
const by = (role: Role): Author => ({
  writer: { role, node: 'n', term: role === 'engine' ? 3 : null },
  nowMs: NOW_MS,
});
const RULE: ExportRule = { host: '10.0.0.1', access: 'rw', squash: 'none' };
const order = {
  name: 'x',
  meta: {},
  requested: { reserved_size: 2, constraints: { zone: 'a' } },
  exports: [RULE],
};

describe('changes', () => {
  it('lead a new volume through its life', () => {
    const fresh = newVolume('v0000000000000001', order, by('api'));
    expect(fresh).toMatchObject({ state: 'scheduling', node: null, actual: null });
    const placed = assigned(fresh, 'b', by('engine'));
    const ready = completed(placed, by('agent'));
    expect(ready).toMatchObject({ state: 'ready', node: 'b', actual: { reserved_size: 2, exports: [RULE] } });
    const larger = requested(ready, { reserved_size: 4, constraints: {} }, by('api'));
    expect(larger).toMatchObject({ state: 'pending', actual: { reserved_size: 2 } });
    const grown = completed(granted(larger, by('engine')), by('agent'));
    expect(grown).toMatchObject({ state: 'ready', actual: { reserved_size: 4 } });
    expect(condemned(grown, by('api')).state).toBe('deleting');
  });

  it('sign and date what they write', () => {
    const { control } = assigned(volumeOf(), 'b', by('engine'));
    expect(control.writer).toEqual({ role: 'engine', node: 'n', term: 3 });
    expect(control.updated).toBe('2026-06-01T12:00:00.000Z');
  });

  it('keep the volume that was read as it was', () => {
    const before = readyVolume();
    const copy = structuredClone(before);
    requested(before, { reserved_size: 9, constraints: {} }, by('api'));
    reexported(before, [RULE], by('api'));
    expect(before).toEqual(copy);
  });

  it('count failures, and forget them when it worked', () => {
    const twice = failed(
      retried(failed(volumeOf({ node: 'a' }), 'io', by('agent')), 'b', by('engine')),
      'io',
      by('agent'),
    );
    expect(twice.control).toMatchObject({ error: 'io', error_count: 2 });
    const again = retried(twice, 'c', by('engine'));
    expect(again).toMatchObject({ state: 'scheduling', node: 'c', control: { error: 'io' } });
    const done = completed(again, by('agent'));
    expect(done.control).toMatchObject({ error: null, error_count: 0 });
  });

  it('retry a created volume from its request, on its node', () => {
    const broken = failed(readyVolume(), 'io', by('agent'));
    expect(retried(broken, 'b', by('engine'))).toMatchObject({ state: 'pending', node: 'a' });
  });

  it.each([
    ['ordered too large', delayed(volumeOf(), 'no room', by('engine')), 'scheduling'],
    ['asked for too much', delayed(readyVolume({ state: 'pending' }), 'no room', by('engine')), 'pending'],
    ['failed', failed(readyVolume(), 'io', by('agent')), 'pending'],
    ['never created', failed(volumeOf({ node: 'a' }), 'io', by('agent')), 'scheduling'],
  ])('let a stuck volume that was %s be asked for something else, and be deleted', (_what, stuck, state) => {
    const asked = requested(stuck, { reserved_size: 0.5, constraints: {} }, by('api'));
    expect(asked).toMatchObject({ state, requested: { reserved_size: 0.5 }, control: { error: null } });
    // Only the engine knows whether the other size fits where it was to be.
    expect(asked.node).toBe(stuck.actual === null ? null : 'a');
    expect(condemned(stuck, by('api')).state).toBe('deleting');
  });

  it('leave a volume that is made but not exported yet to its node', () => {
    const half = readyVolume({ state: 'scheduling' }, { error: 'node a is away' });
    expect(() => requested(half, { reserved_size: 5, constraints: {} }, by('api'))).toThrow(
      /can't be changed/,
    );
    const move = { kind: 'move', cause: 'asked', node: null, copy: null } as const;
    expect(() => tasked(half, move, by('api'))).toThrow(/can't be worked on/);
    expect(condemned(half, by('api')).state).toBe('deleting');
  });

  it('pin a volume where a client had it moved, until it is moved for another reason', () => {
    const arrived = (cause: 'asked' | 'drain', pinned: boolean) =>
      completed(
        readyVolume(
          { state: 'moving', node: 'b', actual: actualOf({ pinned }) },
          { task: { kind: 'move', cause, node: 'b', copy: '0123456789abcdef-1' } },
        ),
        by('agent'),
      ).actual?.pinned;
    expect([arrived('asked', false), arrived('drain', true)]).toEqual([true, false]);
    const resized = completed(
      readyVolume({ state: 'resizing', actual: actualOf({ pinned: true }) }),
      by('agent'),
    );
    expect(resized.actual?.pinned).toBe(true);
  });

  it('let a move keep what did not fit, and other work take its place', () => {
    const asked = { reserved_size: 5, constraints: { disk: 'ssd' } };
    const stuck = readyVolume({ state: 'pending', requested: asked }, { error: 'no room' });
    const move = { kind: 'move', cause: 'asked', node: null, copy: null } as const;
    expect(tasked(stuck, move, by('api'))).toMatchObject({ state: 'pending', requested: asked });
    const rewrite = { kind: 'rewrite', compression: null } as const;
    expect(tasked(stuck, rewrite, by('api'))).toMatchObject({
      requested: { reserved_size: 1, constraints: {} },
      control: { error: null, task: rewrite },
    });
    expect(() => tasked(readyVolume({ state: 'resizing' }), rewrite, by('api'))).toThrow(
      /can't be worked on/,
    );
  });

  it('record applied exports beside the size', () => {
    const asked = reexported(readyVolume(), [RULE], by('api'));
    expect(exported(asked, by('agent')).actual).toEqual({
      reserved_size: 1,
      constraints: {},
      exports: [RULE],
      compression: 'none',
      space: null,
      pinned: false,
    });
    expect(() => exported(volumeOf(), by('agent'))).toThrow(/isn't created/);
  });

  it('say why nothing goes on, without going on', () => {
    expect(delayed(volumeOf(), 'no room', by('engine'))).toMatchObject({
      state: 'scheduling',
      control: { error: 'no room' },
    });
  });

  it.each([
    ['an api that completes', () => completed(volumeOf({ node: 'a' }), by('api'))],
    ['an agent that asks', () => requested(readyVolume(), order.requested, by('agent'))],
    ['an api that grants', () => granted(readyVolume({ state: 'pending' }), by('api'))],
    ['a request to one that is not ready', () => requested(volumeOf(), order.requested, by('api'))],
    ['the deletion of one that is scheduling', () => condemned(volumeOf(), by('api'))],
    ['the deletion of one that is pending', () => condemned(readyVolume({ state: 'pending' }), by('api'))],
    [
      'a request to one that is pending',
      () => requested(readyVolume({ state: 'pending' }), order.requested, by('api')),
    ],
    ['another node for a created one', () => assigned(readyVolume(), 'b', by('engine'))],
    ['the failure of a pending one', () => failed(readyVolume({ state: 'pending' }), 'io', by('agent'))],
  ])('refuse %s', (_what, change) => {
    expect(change).toThrow(expect.objectContaining({ code: 'conflict' }));
  });
});

describe('a move', () => {
  const task = { kind: 'move', cause: 'asked', node: 'b', copy: null } as const;

  it('that is called off is still wanted, but to another node', () => {
    const cancelled = moveCancelled(readyVolume({ state: 'moving' }, { task }), 'b is away', by('engine'));
    expect(cancelled).toMatchObject({
      state: 'pending',
      node: 'a',
      control: { error: 'b is away', task: { ...task, node: null } },
    });
  });

  it('is none any more when what was asked for is granted where the volume is', () => {
    const growing = granted(readyVolume({ state: 'pending' }, { task }), by('engine'));
    expect(growing).toMatchObject({ state: 'resizing', control: { task: null } });
  });
});
