import { describe, expect, it } from '@jest/globals';
import type { Links } from '../../../../src/rig/deployment.ts';
import { healOwed, owedHits } from '../../../../src/rig/faults/owed.ts';
import type { FaultSpec } from '../../../../src/rig/faults/spec.ts';
import type { NemesisEvent } from '../../../../src/rig/history.ts';
import { createHistory } from '../support/history.ts';
import { fakeSite } from './fake-site.ts';

const event = (phase: NemesisEvent['phase'], id: string, on = id): NemesisEvent => ({
  type: 'nemesis',
  atMs: 0,
  phase,
  id,
  fault: { fault: 'pause', on } satisfies FaultSpec,
  members: phase === 'unavailable' ? [] : [on],
});

describe('what a dead rig has left', () => {
  it('is what was begun and not seen to be gone', () => {
    const history = [
      event('inject', 'healed'),
      event('shown', 'healed'),
      event('unavailable', 'never'),
      event('inject', 'intended'),
      event('heal', 'healed'),
      event('healed', 'healed'),
      event('inject', 'half-healed'),
      event('heal', 'half-healed'),
    ];
    expect(owedHits(history).map(({ id }) => id)).toEqual(['intended', 'half-healed']);
    expect(owedHits([])).toEqual([]);
  });

  it('is what its script did by itself and had not undone', async () => {
    const steps = createHistory();
    steps.fault('pause', 'etcd').fault('kill', 'node1').fault('pause', 'node2', 'agent');
    steps.fault('kill', 'node3', 'engine').fault('stop', 'node2').fault('start', 'node1');
    const hits = owedHits(steps.run().history);
    expect(hits.map(({ id, spec }) => [id, spec.fault])).toEqual([
      ['etcd', 'pause'],
      ['node2', 'stop'],
    ]);
    const { site, states, acts } = fakeSite({});
    states.set('etcd', 'paused').set('node2', 'exited');
    await healOwed(site, hits);
    expect(acts).toEqual(['start node2', 'resume etcd']);
  });

  it('is told once where a fault did it', () => {
    const steps = createHistory().fault('pause', 'node1').run().history;
    expect(owedHits([event('inject', 'a', 'node1'), ...steps]).map(({ id }) => id)).toEqual(['a']);
    expect(owedHits([event('inject', 'a', 'node1'), ...steps, event('healed', 'a', 'node1')])).toEqual([]);
  });

  it('is healed in the reverse order, and what was never begun stays as it is', async () => {
    const { site, states, acts } = fakeSite({});
    states.set('node1', 'paused');
    states.set('node3', 'paused');
    const hits = owedHits(['node1', 'node2', 'node3'].map((id) => event('inject', id)));
    const reaped = await healOwed(site, hits);
    expect(reaped.map(({ hit, isHealed, seen }) => [hit.id, isHealed, seen])).toEqual([
      ['node3', true, 'node3 running'],
      ['node2', true, 'node2 running'],
      ['node1', true, 'node1 running'],
    ]);
    expect(acts).toEqual(['resume node3', 'resume node1']);
  });

  it('is told of where it can not be healed, and the rest is healed all the same', async () => {
    const { site, states } = fakeSite({
      onAct: (_, member) => {
        if (member === 'node3') throw new Error('the engine says no');
        return member !== 'node2';
      },
    });
    for (const node of ['node1', 'node2', 'node3']) states.set(node, 'paused');
    const reaped = await healOwed(
      site,
      owedHits(['node1', 'node2', 'node3'].map((id) => event('inject', id))),
    );
    expect(reaped.map(({ isHealed, seen }) => [isHealed, seen])).toEqual([
      [false, 'the engine says no'],
      [false, 'node2 paused'],
      [true, 'node1 running'],
    ]);
  });

  it('is healed also where it can not be taken over', async () => {
    const healed: string[] = [];
    const links = {
      set: async (key: string, wanted: readonly unknown[]) => {
        if (wanted.length > 0) throw new Error('a sidecar does not start');
        healed.push(key);
      },
      inForce: () => new Map(),
      send: async (paths: readonly object[]) => paths.map((path) => ({ ...path, sent: 1, tookMs: [1] })),
    } as unknown as Links;
    const { site, states } = fakeSite({ deployment: { links } });
    states.set('node2', 'paused');
    const cut = {
      ...event('inject', 'cut', 'node1'),
      fault: { fault: 'cut', from: 'node1', to: 'node2' } as const,
    };
    const reaped = await healOwed(site, owedHits([cut, event('inject', 'node2')]));
    expect(reaped.map(({ hit, isHealed }) => [hit.id, isHealed])).toEqual([
      ['node2', true],
      ['cut', true],
    ]);
    expect(healed).toEqual(['cut']);
  });

  it('is healed one by one where that is wanted, and what else is in force of links and disks stays', async () => {
    const inForce = new Map<string, unknown>();
    const links = {
      set: async (key: string, wanted: readonly unknown[]) =>
        void (wanted.length > 0 ? inForce.set(key, wanted.length) : inForce.delete(key)),
      inForce: () => new Map(),
      send: async (paths: readonly object[]) => paths.map((path) => ({ ...path, sent: 1, tookMs: [1] })),
    } as unknown as Links;
    const set = async (key: string, _: string, condition: unknown) =>
      void (condition === undefined ? inForce.delete(key) : inForce.set(key, condition));
    const { site, acts } = fakeSite({ deployment: { links, disks: { set } as never } });
    const hit = (id: string, fault: FaultSpec): NemesisEvent => ({ ...event('inject', id, 'node1'), fault });
    const hits = owedHits([
      hit('one cut', { fault: 'cut', from: 'node1', to: 'node2' }),
      hit('other cut', { fault: 'cut', from: 'node1', to: 'node3' }),
      hit('full', { fault: 'disk-full', on: 'node1' }),
      hit('frozen', { fault: 'pause', on: 'node1' }),
    ]);
    const told: string[] = [];
    const wanted = hits.filter(({ id }) => id === 'one cut');
    const reaped = await healOwed(site, hits, { wanted, onHeal: ({ id }) => void told.push(id) });
    expect(reaped.map(({ hit: { id }, isHealed }) => [id, isHealed])).toEqual([['one cut', true]]);
    expect(told).toEqual(['one cut']);
    expect([...inForce]).toEqual([
      ['other cut', 2],
      ['full', { is: 'full' }],
    ]);
    // Frozen it is by itself, whoever has done it.
    expect(acts).toEqual([]);
  });

  it('does not stay down where it was about to be started', async () => {
    const disks = { set: async () => undefined, inForce: () => [] };
    const write = async () => ({ outcome: 'written', tookMs: 1 });
    const { site, states, acts } = fakeSite({ deployment: { disks: { ...disks, write } as never } });
    // The power was cut, and the rig died.
    states.set('node1', 'exited');
    const errors = { ...event('inject', 'node1'), fault: { fault: 'disk-errors', on: 'node1' } as const };
    expect(await healOwed(site, owedHits([errors]))).toMatchObject([{ isHealed: true }]);
    expect(acts).toEqual(['start node1']);
  });

  it('takes volumes again when it was to leave', async () => {
    const store = { read: async () => ({ createRevision: 1, lease: 'a' }) } as never;
    const { site, states, acts } = fakeSite({ deployment: { store } });
    const calls: unknown[] = [];
    const place = {
      ...site,
      call: async (request: unknown) => {
        calls.push(request);
        return { status: 202, body: {} };
      },
    };
    states.set('node1', 'exited');
    const removed = { ...event('inject', 'node1'), fault: { fault: 'node-removed', node: 'node1' } as const };
    expect(await healOwed(place, owedHits([removed]))).toMatchObject([
      { isHealed: true, seen: 'it has stayed' },
    ]);
    expect(acts).toEqual(['start node1']);
    expect(calls).toEqual([{ method: 'PUT', path: '/nodes/node1', body: { draining: false } }]);
  });
});
