import { describe, expect, it } from '@jest/globals';
import { linesOf } from '../../../src/rig/journal.ts';
import { logRecordsOf, parseLogLines, toLogRecords } from '../../../src/rig/log-lines.ts';
import { logRecordOf, parseLogRecords, placedOf, wallMsOf } from '../../../src/rig/log-record.ts';

const PRINTED = [
  '2026-01-01T00:00:01.234567890Z {"at":"2026-01-01T00:00:01.2Z","level":"warn","event":"engine.elected","node":"node1","role":"engine","term":7}',
  '2026-01-01T00:00:02Z ganesha says {"hello"}',
  '    at the rest of it',
  '2026-01-01T00:00:03.5Z {"at":"2026-01-01T01:00:00Z","level":"info","event":"usage.unknown","node":"node2","role":"api","volume":"v1"}',
].join('\n');

describe('a log record', () => {
  it('has the time, node, role and volume of a line', () => {
    const [elected, text, rest, usage] = toLogRecords('node1', PRINTED);
    expect(elected).toEqual({
      time: '2026-01-01T00:00:01.234567890Z',
      at: '2026-01-01T00:00:01.2Z',
      node: 'node1',
      role: 'engine',
      level: 'warn',
      event: 'engine.elected',
      term: 7,
    });
    expect(text).toMatchObject({ node: 'node1', event: 'text', text: 'ganesha says {"hello"}' });
    expect(rest?.time).toBe('2026-01-01T00:00:02Z');
    expect(usage).toMatchObject({ node: 'node1', otherNode: 'node2', volume: 'v1' });
  });

  it('is there of each of two that had a name one after the other', () => {
    const [first = '', ...later] = PRINTED.split('\n').map((line) => `${line}\n`);
    const found = logRecordsOf([
      { name: 'node1', printed: [first] },
      { name: 'etcd', printed: [] },
      { name: 'node1', printed: later },
    ]);
    expect(found).toEqual(
      new Map([
        ['node1', toLogRecords('node1', PRINTED)],
        ['etcd', []],
      ]),
    );
  });

  it('is read back as it was written', () => {
    const records = toLogRecords('node1', PRINTED);
    expect(parseLogRecords(linesOf(records))).toEqual(records);
  });

  it.each([false, true])(
    'says the same to the checks as the printed line did (own clock: %s)',
    (ownClock) => {
      const place = { container: 'node1', startedAtMs: Date.parse('2026-01-01T00:00:00Z'), ownClock };
      const kept = parseLogRecords(linesOf(toLogRecords('node1', PRINTED)));
      expect(kept.map((record) => placedOf(record, place))).toEqual(
        parseLogLines({ ...place, text: PRINTED }),
      );
    },
  );

  it('leaves out a last line that was cut short, and whatever is no record', () => {
    const [first] = toLogRecords('node1', PRINTED);
    const text = `${linesOf(first === undefined ? [] : [first])}[1]\n{"time":"x"}\n{"time":"2026-`;
    expect(parseLogRecords(text)).toEqual([first]);
  });

  it("goes by the daemon's own time, unless its clock was wrong", () => {
    const record = logRecordOf({
      time: '2026-01-01T00:00:01.0005Z',
      node: 'n',
      text: '{"at":"2026-01-01T00:00:00.9Z","level":"info","event":"x"}',
    });
    const secondMs = Date.parse('2026-01-01T00:00:01Z');
    expect(wallMsOf(record)).toBe(secondMs - 100);
    expect(wallMsOf(record, true)).toBe(secondMs + 0.5);
  });
});
