import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../../src/base/errors.ts';
import type { Link, Links } from '../../../../src/rig/deployment.ts';
import { createNemesis } from '../../../../src/rig/faults/nemesis.ts';
import type { FaultSpec } from '../../../../src/rig/faults/spec.ts';
import { fakeSite } from './fake-site.ts';

type Recorded = Parameters<Parameters<typeof createNemesis>[1]>[0];

const KILL = (on: string): FaultSpec => ({ fault: 'kill', on });
const CUT: FaultSpec = { fault: 'partition', shape: 'isolate', on: 'node1' };

function played(parts: Parameters<typeof fakeSite>[0] = {}, health?: Parameters<typeof createNemesis>[2]) {
  const record: Recorded[] = [];
  const fake = fakeSite(parts);
  const nemesis = createNemesis(fake.site, (event) => record.push(event), health);
  const lines = () =>
    record.map((event) =>
      event.type === 'nemesis' ? `${event.phase} ${event.id}` : `${event.outcome}: ${event.what}`,
    );
  return { ...fake, nemesis, record, lines };
}

/** The network as it was asked for: packets pass where no link says that they don't. */
function fakeLinks(): Links {
  const keys = new Map<string, readonly Link[]>();
  const send: Links['send'] = async (paths, { count }) =>
    paths.map((path) => {
      const cut = [...keys.values()].flat().some(({ from, to }) => from === path.from && to === path.to);
      return { ...path, sent: count, tookMs: cut ? [] : Array(count).fill(1), spanMs: 1 };
    });
  const set: Links['set'] = async (key, links) =>
    void (links.length > 0 ? keys.set(key, links) : keys.delete(key));
  return { set, send, inForce: () => keys, missing: async () => undefined } as unknown as Links;
}

describe('nemesis', () => {
  it('records each phase in order, with who was hit and what was seen', async () => {
    const { nemesis, record, acts } = played();
    await nemesis.inject('a', KILL('leader'));
    expect(nemesis.active()).toMatchObject([{ id: 'a', members: ['node1'] }]);
    await nemesis.heal('a');
    expect(record).toMatchObject([
      { phase: 'inject', id: 'a', fault: { fault: 'kill', on: 'leader' }, members: ['node1'] },
      { phase: 'shown', evidence: 'node1 exited' },
      { phase: 'heal' },
      { phase: 'healed', evidence: 'node1 running' },
    ]);
    expect(acts).toEqual(['kill node1', 'start node1']);
    expect(nemesis.active()).toEqual([]);
  });

  it('writes its intent before anything is touched, and keeps it when that fails', async () => {
    const { nemesis, lines, acts } = played({
      onAct: (act) => {
        expect(lines()).toEqual(act === 'kill' ? ['inject a'] : ['inject a', 'heal a']);
        if (act === 'kill') throw new Error('the engine is gone');
        return true;
      },
    });
    await expect(nemesis.inject('a', KILL('node2'))).rejects.toThrow('the engine is gone');
    expect(acts).toEqual(['kill node2']);
    expect(lines()).toEqual(['inject a']);
    expect(nemesis.active()).toHaveLength(1);
  });

  describe('with one that is to come after others', () => {
    it('waits for those that have begun, until nothing is left of them', async () => {
      const { nemesis, lines } = played();
      await nemesis.inject('a', KILL('node2'));
      const later = nemesis.inject('b', { fault: 'pause', on: 'node2' }, { after: ['never', 'a'] });
      await nemesis.heal('a');
      await later;
      expect(lines()).toEqual(['inject a', 'shown a', 'heal a', 'healed a', 'inject b', 'shown b']);
    });

    it('waits for none that could not be injected, since that is healed when the script has ended', async () => {
      const { nemesis, acts } = played({
        onAct: (_, member) => {
          if (member === 'node2') throw new Error('the engine is gone');
          return true;
        },
      });
      await expect(nemesis.inject('a', KILL('node2'))).rejects.toThrow('the engine is gone');
      await nemesis.inject('b', KILL('node3'), { after: ['a'] });
      expect(acts).toEqual(['kill node2', 'kill node3']);
    });

    it('ends with the run', async () => {
      const { site } = fakeSite({});
      const stop = new AbortController();
      const nemesis = createNemesis({ ...site, signal: stop.signal }, () => undefined);
      await nemesis.inject('a', KILL('node2'));
      const later = nemesis.inject('b', KILL('node2'), { after: ['a'] });
      stop.abort();
      await expect(later).rejects.toThrow('stopped');
    });
  });

  describe('with one that is about to be injected', () => {
    /** Whoever is chosen when `isHeld` waits until `release`. */
    const held = () => {
      const record: Recorded[] = [];
      const choosing = Promise.withResolvers<void>();
      const chosen = Promise.withResolvers<void>();
      const fake = fakeSite({});
      const hold = { isHeld: false, choosing: choosing.promise, release: chosen.resolve };
      const view = async () => {
        if (hold.isHeld) {
          choosing.resolve();
          await chosen.promise;
        }
        return fake.site.view();
      };
      const health = { boundMs: 1_000, look: async () => ({ holds: true, seen: 'all is well' }) };
      const nemesis = createNemesis({ ...fake.site, view }, (event) => record.push(event), health);
      const looks = () => record.flatMap((event) => (event.type === 'expectation' ? [event.what] : []));
      return { nemesis, hold, looks };
    };
    const before = 'the cluster is healthy before kill node1';

    it('does not ask whether the cluster is well before another', async () => {
      const { nemesis, hold, looks } = held();
      hold.isHeld = true;
      const first = nemesis.inject('a', KILL('node1'));
      await hold.choosing;
      hold.isHeld = false;
      await nemesis.inject('b', KILL('node2'));
      hold.release();
      await first;
      expect(looks()).toEqual([before]);
    });

    it('does not ask whether the cluster is well after another', async () => {
      const { nemesis, hold, looks } = held();
      await nemesis.inject('a', KILL('node1'));
      hold.isHeld = true;
      const second = nemesis.inject('b', KILL('node2'));
      await hold.choosing;
      await nemesis.heal('a');
      expect(looks()).toEqual([before]);
      hold.release();
      await second;
      await nemesis.heal('b');
      expect(looks()).toEqual([before, 'the cluster is healthy after kill node2']);
    });
  });

  it('leaves one that never shows unseen, after its bound, and heals it all the same', async () => {
    const { nemesis, record, lines, nowMs } = played({ onAct: (act) => act === 'start' });
    await nemesis.inject('a', KILL('node2'));
    expect(lines()).toEqual(['inject a', 'unseen: kill node2 shows']);
    expect(record[1]).toMatchObject({ boundMs: 15_000, seen: 'node2 running' });
    expect(nowMs()).toBeGreaterThanOrEqual(15_000);
    await nemesis.heal('a');
    expect(lines().slice(2)).toEqual(['heal a', 'healed a']);
  });

  it('goes on without one that finds its target down already, and without one that finds nobody', async () => {
    const { nemesis, record, lines } = played({
      onAct: (act) => {
        if (act === 'kill') throw new RigError('conflict', 'cannot kill node2: it is exited');
        return true;
      },
      deployment: { store: { read: async () => undefined } as never },
    });
    await nemesis.inject('a', KILL('node2'));
    expect(record[1]).toMatchObject({ outcome: 'unseen', seen: 'cannot kill node2: it is exited' });
    await nemesis.heal('a');
    await nemesis.inject('b', KILL('node9'));
    expect(lines().slice(2)).toEqual(['heal a', 'healed a', 'unavailable b']);
    expect(nemesis.active()).toEqual([]);
  });

  it('sees a role that was killed to be back, where its supervisor is to start it', async () => {
    let runs = false;
    const hasRole = async () => runs;
    const restart = { engine: 'never' as const };
    const topology = { nodes: [{ name: 'node1' }, { name: 'node2', restart }] };
    const { nemesis, record } = played({ deployment: { hasRole }, topology });
    const kill = (on: string): FaultSpec => ({ fault: 'kill', on, role: 'engine' });
    await nemesis.inject('a', kill('node1'));
    await nemesis.heal('a');
    expect(record.at(-1)).toMatchObject({ outcome: 'unseen', seen: 'no engine at node1' });
    await nemesis.inject('b', kill('node2'));
    await nemesis.heal('b');
    expect(record.at(-1)).toMatchObject({ phase: 'healed', id: 'b' });
    runs = true;
    await nemesis.inject('c', kill('node1'));
    await nemesis.heal('c');
    expect(record.at(-1)).toMatchObject({ phase: 'healed', id: 'c' });
  });

  it.each([
    ['whose process is no more', 'running'],
    ['whose node is down', 'exited'],
  ] as const)('heals the pause of a role %s', async (_, state) => {
    const { nemesis, states, acts, lines, record } = played({
      onAct: (act) => {
        if (act === 'resume') throw new RigError('conflict', 'no such process runs there');
        return true;
      },
    });
    await nemesis.inject('a', { fault: 'pause', on: 'node1', role: 'agent' });
    states.set('node1', state);
    await nemesis.heal('a');
    expect(acts).toEqual(['pause node1', ...(state === 'running' ? ['resume node1'] : [])]);
    expect(lines().slice(2)).toEqual(['heal a', 'healed a']);
    expect(record.at(-1)).toMatchObject({ evidence: 'the process that was hit is no more at node1' });
  });

  it('does not take for a restart the start of a member that was down already', async () => {
    const { nemesis, states, record } = played({
      deployment: { incarnation: async (member) => `${member} ${states.get(member)}` },
      onAct: (act) => {
        if (act === 'kill') throw new RigError('conflict', 'node2 is exited');
        return true;
      },
    });
    states.set('node2', 'exited');
    await nemesis.inject('a', { fault: 'restart', on: 'node2' });
    expect(record.at(-1)).toMatchObject({ outcome: 'unseen', seen: 'node2 is exited' });
  });

  it('leaves alone who has left for good', async () => {
    const { nemesis, states, acts } = played();
    await nemesis.inject('a', KILL('node2'));
    states.delete('node2');
    await nemesis.heal('a');
    expect(acts).toEqual(['kill node2']);
  });

  it('leaves one whose healing never shows unseen', async () => {
    const { nemesis, lines } = played({ onAct: (act) => act === 'kill' });
    await nemesis.inject('a', KILL('node2'));
    await nemesis.heal('a');
    expect(lines()).toEqual(['inject a', 'shown a', 'heal a', 'unseen: kill node2 is gone']);
  });

  it('heals once, whatever it is asked', async () => {
    const { nemesis, lines, acts } = played();
    await nemesis.heal('a');
    await nemesis.inject('a', KILL('node2'));
    await nemesis.heal('a');
    await nemesis.heal('a');
    await nemesis.healAll();
    expect(lines()).toEqual(['inject a', 'shown a', 'heal a', 'healed a']);
    expect(acts).toEqual(['kill node2', 'start node2']);
    await expect(nemesis.inject('a', KILL('node2'))).rejects.toThrow("there was a fault 'a' already");
  });

  it('heals all that are left in the reverse order', async () => {
    const { nemesis, lines } = played();
    for (const id of ['node1', 'node2', 'node3']) await nemesis.inject(id, KILL(id));
    await nemesis.heal('node2');
    await nemesis.healAll();
    expect(lines().filter((line) => line.startsWith('heal '))).toEqual([
      'heal node2',
      'heal node3',
      'heal node1',
    ]);
    expect(nemesis.active()).toEqual([]);
  });

  it('says what is missing, and touches nothing', async () => {
    const links = { missing: async () => 'iptables does not work here' } as unknown as Links;
    const { nemesis, record, acts } = played({ deployment: { links } });
    await nemesis.inject('a', CUT);
    await nemesis.heal('a');
    expect(record).toEqual([
      {
        type: 'nemesis',
        phase: 'unavailable',
        id: 'a',
        fault: CUT,
        members: [],
        evidence: 'iptables does not work here',
      },
    ]);
    expect(acts).toEqual([]);
    expect(nemesis.active()).toEqual([]);
  });

  it('freezes no node whose disk others would wait for', async () => {
    const nodes = [{ name: 'node1', disk: 'breakable' as const }, { name: 'node2' }];
    const { nemesis, lines, acts } = played({ topology: { nodes } });
    await nemesis.inject('a', { fault: 'pause', on: 'one' });
    await nemesis.inject('b', { fault: 'pause', on: 'node2' });
    await nemesis.inject('c', { fault: 'pause', on: 'node1', role: 'agent' });
    expect(lines()).toEqual(['unavailable a', 'inject b', 'shown b', 'inject c', 'shown c']);
    expect(acts).toEqual(['pause node2', 'pause node1']);
  });

  it('looks again for what another fault hides, once that is healed', async () => {
    const { nemesis, lines, nowMs } = played({ deployment: { links: fakeLinks() } });
    await nemesis.inject('a', CUT);
    await nemesis.inject('b', CUT);
    expect(lines()).toEqual(['inject a', 'shown a', 'inject b']);
    await nemesis.heal('a');
    // What is hidden was waited for by nobody.
    expect(nowMs()).toBeLessThan(1_000);
    expect(lines().slice(3)).toEqual(['heal a', 'shown b']);
    await nemesis.healAll();
    expect(lines().slice(5)).toEqual(['heal b', 'healed b', 'healed a']);
  });

  it('looks once more before it heals, while what hid it is still looked after', async () => {
    const links = fakeLinks();
    const looked = Promise.withResolvers<void>();
    let isHeldUp = false;
    const send: Links['send'] = async (paths, packets) => {
      // Of the wider one, which has links that the other hasn't.
      if (isHeldUp && paths.length > 2) await looked.promise;
      return links.send(paths, packets);
    };
    const { nemesis, lines } = played({ deployment: { links: { ...links, send } } });
    await nemesis.inject('a', CUT);
    await nemesis.inject('b', { fault: 'cut', from: 'node1', to: 'node2' });
    isHeldUp = true;
    const healed = nemesis.heal('a');
    await nemesis.heal('b');
    looked.resolve();
    await healed;
    expect(lines()).toEqual([
      ...['inject a', 'shown a', 'inject b', 'heal a'],
      ...['shown b', 'heal b', 'healed b', 'healed a'],
    ]);
  });

  it('ends a look for what has been seen, and healed, meanwhile', async () => {
    const links = fakeLinks();
    const looking = Promise.withResolvers<void>();
    const looked = Promise.withResolvers<void>();
    let isHeldUp = false;
    const send: Links['send'] = async (paths, packets) => {
      // Of the narrower one, the first time.
      if (isHeldUp && paths.length <= 2) {
        isHeldUp = false;
        looking.resolve();
        await looked.promise;
      }
      return links.send(paths, packets);
    };
    const { nemesis, lines, nowMs } = played({ deployment: { links: { ...links, send } } });
    await nemesis.inject('a', CUT);
    await nemesis.inject('b', { fault: 'cut', from: 'node1', to: 'node2' });
    isHeldUp = true;
    const healed = nemesis.heal('a');
    await looking.promise;
    await nemesis.heal('b');
    looked.resolve();
    await healed;
    expect(lines().filter((line) => line.includes('unseen'))).toEqual([]);
    expect(nowMs()).toBeLessThan(1_000);
  });

  it('takes what was hidden for as long as it lasted as unseen', async () => {
    const { nemesis, lines } = played({ deployment: { links: fakeLinks() } });
    await nemesis.inject('a', CUT);
    await nemesis.inject('b', CUT);
    await nemesis.healAll();
    expect(lines().slice(2)).toEqual([
      'inject b',
      'heal b',
      'unseen: a partition (isolate) of node1 shows',
      'heal a',
      'healed a',
      'healed b',
    ]);
  });
});

describe('the health of the cluster', () => {
  const health = (well: () => boolean) => ({
    boundMs: 5_000,
    look: async () => ({ holds: well(), seen: well() ? 'well' : 'ill' }),
  });

  it('is looked at before the first fault and after the last', async () => {
    const { nemesis, lines } = played(
      {},
      health(() => true),
    );
    await nemesis.inject('a', KILL('node1'));
    await nemesis.inject('b', KILL('node2'));
    await nemesis.heal('a');
    await nemesis.heal('b');
    const checks = lines().filter((line) => line.includes('healthy'));
    expect(checks).toEqual([
      'met: the cluster is healthy before kill node1',
      'met: the cluster is healthy after kill node2',
    ]);
    expect(lines().at(0)).toBe(checks[0]);
    expect(lines().at(-1)).toBe(checks[1]);
  });

  it('is looked at once where faults come at the same time, and while none of them bites', async () => {
    let biting = 0;
    const { nemesis, lines } = played(
      {
        onAct: (act) => {
          biting += act === 'kill' ? 1 : -1;
          return true;
        },
      },
      health(() => biting === 0),
    );
    await Promise.all([nemesis.inject('a', KILL('node1')), nemesis.inject('b', KILL('node2'))]);
    await nemesis.heal('a');
    await nemesis.heal('b');
    expect(lines().filter((line) => line.includes('healthy'))).toEqual([
      'met: the cluster is healthy before kill node1',
      'met: the cluster is healthy after kill node2',
    ]);
  });

  it('is no verdict on the system beforehand, and one afterwards', async () => {
    const { nemesis, record } = played(
      {},
      health(() => false),
    );
    await nemesis.inject('a', KILL('node1'));
    await nemesis.heal('a');
    expect(record.filter(({ type }) => type === 'expectation')).toMatchObject([
      { what: 'the cluster is healthy before kill node1', outcome: 'unseen', boundMs: 5_000, seen: 'ill' },
      { what: 'the cluster is healthy after kill node1', outcome: 'missed', boundMs: 5_000, seen: 'ill' },
    ]);
  });
});
