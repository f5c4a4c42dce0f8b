import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '../../../src/rig/log-record.ts';
import { isWanted, mergedLogs, showLog } from '../../../src/rig/log-view.ts';

const record = (more: Partial<LogRecord> = {}): LogRecord => ({
  time: '2026-01-01T00:00:01.500000000Z',
  node: 'node1',
  level: 'info',
  event: 'volume.ready',
  role: 'agent',
  volume: 'v1',
  ...more,
});

describe('isWanted', () => {
  it.each([
    [{ role: 'agent' }, true],
    [{ role: 'api' }, false],
    [{ volume: 'v1', role: 'agent' }, true],
    [{ volume: 'v2' }, false],
    [{ trace: 't1' }, false],
    [{ level: 'info' }, true],
    [{ level: 'warn' }, false],
    [{ sinceMs: Date.parse('2026-01-01T00:00:01Z') }, true],
    [{ sinceMs: Date.parse('2026-01-01T00:00:02Z') }, false],
    [{}, true],
  ] as const)('goes by %j: %s', (filter, expected) => {
    expect(isWanted(record(), filter)).toBe(expected);
  });
});

describe('mergedLogs', () => {
  const logs = new Map([
    [
      'node1',
      [
        record({ event: 'b', at: '2026-01-01T00:00:02Z' }),
        record({ event: 'c', at: '2026-01-01T00:00:02Z' }),
      ],
    ],
    ['node2', [record({ node: 'node2', event: 'a', at: '2026-01-01T00:00:01.9Z' })]],
  ]);
  const events = (records: readonly LogRecord[]) => records.map(({ event }) => event);

  it('puts the lines of all members in the order of time, each member’s own order kept', () => {
    expect(events(mergedLogs(logs))).toEqual(['a', 'b', 'c']);
  });

  it('doesn’t go by a clock that was wrong', () => {
    expect(events(mergedLogs(logs, new Set(['node1'])))).toEqual(['b', 'c', 'a']);
  });
});

describe('showLog', () => {
  it('is a line with time, member, role, level, event and the rest', () => {
    expect(showLog(record({ reason: 'no room' }), { withColours: false })).toBe(
      '00:00:01.500 node1      agent      info  volume.ready volume=v1 reason="no room"',
    );
  });

  it('shows what is no daemon’s as it is, without its control characters', () => {
    const { role: _role, volume: _volume, ...rest } = record({ event: 'text', text: 'a\x1b[2Jb' });
    expect(showLog(rest, { withColours: false })).toMatch(/info {2}a\ufffd\[2Jb$/);
  });

  it('has colours only when it is told to', () => {
    expect(showLog(record({ level: 'error' }), { withColours: true })).toContain('\x1b[31merror\x1b[0m');
  });
});
