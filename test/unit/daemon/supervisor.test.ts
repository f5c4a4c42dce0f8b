import { describe, expect, it } from '@jest/globals';
import { createLog, type LogLine } from '../../../src/base/log.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import type { RoleExit, RoleProcess } from '../../../src/daemon/role-process.ts';
import { EXIT_REFUSED, supervise } from '../../../src/daemon/supervisor.ts';
import type { Role } from '../../../src/model/volume.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const ALWAYS = { api: 'always', engine: 'always', agent: 'always' } as const;

interface Started {
  readonly role: Role;
  readonly atMs: number;
  readonly signals: string[];
  exit(exit: Partial<RoleExit>): void;
}

function setUp(
  restart: typeof ALWAYS | Record<Role, 'always' | 'never'> = ALWAYS,
  roles: readonly Role[] = ['engine'],
) {
  const clock = createManualClock();
  const lines: LogLine[] = [];
  const log = createLog({
    write: (line) => void lines.push(JSON.parse(line) as LogLine),
    nowMs: clock.nowMs,
  });
  const started: Started[] = [];
  const start = (role: Role): RoleProcess => {
    let exit = (_exit: Partial<RoleExit>): void => {};
    const exited = new Promise<RoleExit>((resolve) => {
      exit = (given) => resolve({ code: null, signal: null, ...given });
    });
    const signals: string[] = [];
    started.push({ role, atMs: clock.monotonicMs(), signals, exit });
    return { pid: started.length, exited, signal: (signal) => void signals.push(signal) };
  };
  const stop = new AbortController();
  const done = supervise({ clock, random: createSeededRandom(1), log, roles, restart, start }, stop.signal);
  return { clock, lines, started, stop, done };
}

describe('the supervisor', () => {
  it('starts a role that ended again, with growing patience up to 5 s', async () => {
    const { clock, started, stop, done } = setUp();
    const patienceMs: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const endedMs = clock.monotonicMs();
      started.at(-1)?.exit({ signal: 'SIGKILL' });
      await clock.advance(5000);
      patienceMs.push((started.at(-1)?.atMs ?? 0) - endedMs);
    }
    expect(started).toHaveLength(13);
    // Each wait is drawn from the upper half of what is due: 100 ms, doubling up to 5 s.
    patienceMs.forEach((waitedMs, round) => {
      const dueMs = Math.min(5000, 100 * 2 ** round);
      expect(waitedMs).toBeGreaterThanOrEqual(dueMs / 2);
      expect(waitedMs).toBeLessThanOrEqual(dueMs);
    });
    stop.abort();
    started.at(-1)?.exit({ code: 0 });
    expect(await done).toBe(0);
  });

  it('starts a role that ran well at once', async () => {
    const { clock, started, stop, done } = setUp();
    // It failed often enough to be waited for seconds.
    for (let round = 0; round < 8; round += 1) {
      started.at(-1)?.exit({ code: 1 });
      await clock.advance(5000);
    }
    await clock.advance(60_000);
    started.at(-1)?.exit({ code: 1 });
    await clock.advance(100);
    expect(started).toHaveLength(10);
    stop.abort();
    started.at(-1)?.exit({ code: 0 });
    await done;
  });

  it('ends with 1 when no role is left and none may be started', async () => {
    const { started, done } = setUp({ ...ALWAYS, engine: 'never' });
    started[0]?.exit({ signal: 'SIGKILL' });
    expect(await done).toBe(1);
  });

  it('asks first and kills later', async () => {
    const { clock, started, stop, done } = setUp();
    stop.abort();
    await clock.settle();
    expect(started[0]?.signals).toEqual(['SIGTERM']);
    await clock.advance(6000);
    expect(started[0]?.signals).toEqual(['SIGTERM', 'SIGKILL']);
    started[0]?.exit({ signal: 'SIGKILL' });
    expect(await done).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('ends everything when a role was refused', async () => {
    const { clock, started, done } = setUp(ALWAYS, ['api', 'engine']);
    started[1]?.exit({ code: EXIT_REFUSED });
    await clock.settle();
    expect(started[0]?.signals).toEqual(['SIGTERM']);
    started[0]?.exit({ code: 0 });
    expect(await done).toBe(EXIT_REFUSED);
  });

  it('starts a role again that is refused after it has worked well', async () => {
    const { clock, started, done, stop } = setUp(ALWAYS, ['engine']);
    await clock.advance(10_000);
    started[0]?.exit({ code: 1 });
    for (let n = 1; n <= 3; n += 1) {
      await clock.advance(5000);
      expect(started).toHaveLength(n + 1);
      started[n]?.exit({ code: EXIT_REFUSED });
    }
    stop.abort();
    expect(await done).toBe(0);
  });

  it('tells of every start and end', async () => {
    const { lines, started, done } = setUp({ ...ALWAYS, engine: 'never' });
    started[0]?.exit({ signal: 'SIGKILL' });
    await done;
    expect(lines).toMatchObject([
      { event: 'role.started', role: 'engine', pid: 1 },
      { event: 'role.exited', role: 'engine', pid: 1, code: null, signal: 'SIGKILL' },
    ]);
  });
});
