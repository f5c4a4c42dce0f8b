import { describe, expect, it } from '@jest/globals';
import type { Clock } from '../../../src/base/clock.ts';
import { RigError } from '../../../src/base/errors.ts';
import { outcomeOf } from '../../../src/rig/checks/expectations.ts';
import { createWorkClock } from '../../../src/rig/checks/work-clock.ts';
import type { IoAnswer } from '../../../src/rig/consumer/protocol.ts';
import type { ExpectationEvent, HistoryEvent, MachineEvent } from '../../../src/rig/history.ts';
import type { Scene } from '../../../src/rig/scene.ts';
import { act } from '../../../src/rig/steps.ts';
import { parseTopology } from '../../../src/rig/topology.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { QUIET } from '../../support/site.ts';

describe('a consumer that is to follow the events', () => {
  it('is given up when no API ever opens a stream, and leaves the verdict unknown', async () => {
    const clock = createManualClock();
    const recorded: Partial<HistoryEvent>[] = [];
    const scene = {
      followers: new Map(),
      stage: {
        clock,
        signal: new AbortController().signal,
        journal: {
          atMs: clock.monotonicMs,
          record: (event: HistoryEvent) => recorded.push(event),
          machine: [QUIET],
        },
        deployment: {
          topology: parseTopology({ nodes: [{ name: 'node1' }], consumers: ['consumer1'] }, 'this test'),
          address: async () => '10.0.0.11',
          api: async () => {
            throw new RigError('unavailable', 'it publishes no port');
          },
        },
      },
    } as unknown as Scene;
    let done = false;
    const step = act(scene, { follow: 'consumer1', via: 'node1' }).then(() => {
      done = true;
    });
    for (let seconds = 0; seconds < 60 && !done; seconds += 1) await clock.advance(1_000);
    await step;
    const expectation = recorded.find(({ type }) => type === 'expectation');
    expect(expectation).toMatchObject({ outcome: 'unseen', seen: 'no API opens a stream' });
    const ended = scene.followers.get('consumer1')?.end();
    await clock.advance(1_000);
    await ended;
  });
});

describe('a write that is to succeed', () => {
  const FULL: IoAnswer = { outcome: 'unknown', full: true, detail: 'Disk quota exceeded' };
  const BROKEN: IoAnswer = { outcome: 'unknown', detail: 'reset' };

  const takesASecond = async (clock: Clock, answer: IoAnswer): Promise<IoAnswer> => {
    await clock.sleep(1_000);
    return answer;
  };

  /** What is recorded of it when its tries end so, one after the other. */
  async function recordedOf(
    answers: readonly IoAnswer[],
    machine: MachineEvent = QUIET,
  ): Promise<Partial<HistoryEvent> | undefined> {
    const clock = createManualClock();
    const recorded: Partial<HistoryEvent>[] = [];
    const left = [...answers];
    const scene = {
      names: { idOf: (name: string) => name },
      stage: {
        clock,
        signal: new AbortController().signal,
        journal: {
          atMs: clock.monotonicMs,
          record: (event: HistoryEvent) => recorded.push(event),
          machine: [machine],
        },
        clients: { file: async () => takesASecond(clock, left.shift() ?? { outcome: 'ok' }) },
      },
    } as unknown as Scene;
    let done = false;
    const write = { io: 'write', volume: 'a', by: 'consumer1', file: 'one', at: 'node1' } as const;
    const step = act(scene, { ...write, outcome: 'ok', withinMs: 5_000 }).then(() => {
      done = true;
    });
    for (let seconds = 0; seconds < 60 && !done; seconds += 1) await clock.advance(1_000);
    await step;
    return recorded.find(({ type }) => type === 'expectation');
  }

  it('is tried again when it breaks off', async () => {
    expect(await recordedOf([BROKEN])).toMatchObject({ outcome: 'met' });
  });

  it('has the time that the machine leaves, and is told to have been late', async () => {
    const tries = Array.from({ length: 8 }, () => BROKEN);
    expect(await recordedOf(tries)).toMatchObject({
      outcome: 'missed',
      boundMs: 5_000,
      seen: expect.stringContaining('reset'),
    });
    const late = await recordedOf(tries, { ...QUIET, runnable: 3 });
    expect(late).toMatchObject({ outcome: 'met', boundMs: 5_000 });
    expect((late as ExpectationEvent).measuredMs).toBeGreaterThan(8_000);
    const never = await recordedOf(
      Array.from({ length: 40 }, () => BROKEN),
      { ...QUIET, runnable: 3 },
    );
    expect(never).toMatchObject({ outcome: 'missed' });
    expect((never as ExpectationEvent).measuredMs).toBeGreaterThan(15_000);
  });

  it('has failed when it is told that the volume is full, whatever a later one would find', async () => {
    expect(await recordedOf([FULL])).toMatchObject({
      outcome: 'missed',
      isFinal: true,
      seen: 'full at node1 Disk quota exceeded',
    });
  });
});

describe('a call that nobody answers for as long as its client waits', () => {
  const outcomeOn = async (change: Partial<MachineEvent>) => {
    const clock = createManualClock();
    const recorded: HistoryEvent[] = [];
    const scene = {
      names: { resolve: (name: string) => name },
      stage: {
        deployment: {},
        journal: {
          record: (event: HistoryEvent) => recorded.push({ ...event, atMs: clock.monotonicMs() }),
        },
        clients: {
          http: async () => {
            clock.freeze(10_001);
            return { status: undefined, body: undefined, elapsedMs: 10_001, error: 'timeout' };
          },
        },
      },
    } as unknown as Scene;
    await act(scene, { call: { create: 'a', sizeGib: 1 }, via: 'node1', status: 202 });
    return outcomeOf(recorded[0] as ExpectationEvent, createWorkClock([{ ...QUIET, ...change }]));
  };

  it('is missed, unless the machine left too little time for an answer', async () => {
    // Timers are late by half a millisecond in a hundred on any machine.
    expect(await outcomeOn({ lateMs: 0.005 * QUIET.overMs })).toBe('missed');
    expect(await outcomeOn({ runnable: 3 })).toBe('unseen');
  });
});
