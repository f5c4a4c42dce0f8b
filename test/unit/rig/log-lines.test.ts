import { describe, expect, it } from '@jest/globals';
import { parseLogLines } from '../../../src/rig/log-lines.ts';

const startedAtMs = Date.parse('2026-01-01T00:00:00Z');
const parse = (text: string) => parseLogLines({ container: 'node1', text, startedAtMs });

describe('parseLogLines', () => {
  it('puts a daemon line on the time line of the run', () => {
    const line = '{"level":"warn","event":"engine.elected","term":7}';
    expect(parse(`2026-01-01T00:00:01.234567890Z ${line}\n`)).toEqual([
      { atMs: 1234.568, container: 'node1', level: 'warn', event: 'engine.elected', fields: { term: 7 } },
    ]);
  });

  it("believes a daemon's own time before that at which Docker read the line", () => {
    const [daemon, text] = parse(
      '2026-01-01T00:00:01.9Z {"at":"2026-01-01T00:00:01.234Z","level":"info","event":"engine.deposed"}\n' +
        '2026-01-01T00:00:01.95Z {"at":"2026-01-01T00:00:01.234Z","level":"loud"}\n',
    );
    expect(daemon).toEqual({
      atMs: 1234,
      container: 'node1',
      level: 'info',
      event: 'engine.deposed',
      fields: {},
    });
    expect(text?.atMs).toBe(1950);
  });

  it("believes Docker's time where the daemon's clock was wrong", () => {
    const text = '2026-01-01T00:00:01.9Z {"at":"2026-01-01T01:00:00Z","level":"info","event":"x"}';
    const options = { container: 'node1', text, startedAtMs };
    expect(parseLogLines({ ...options, ownClock: true })[0]?.atMs).toBe(1900);
    expect(parseLogLines(options)[0]?.atMs).toBe(3_600_000);
  });

  it("falls back to Docker's time where a daemon's can't be read", () => {
    const at = (value: string) =>
      parse(`2026-01-01T00:00:02.5Z {"at":${value},"level":"info","event":"x"}`)[0]?.atMs;
    expect([at('"yesterday"'), at('7'), at('null')]).toEqual([2500, 2500, 2500]);
  });

  it('keeps everything else as text', () => {
    const texts = [
      'ganesha says hello',
      '{"level":"info"}',
      '{"broken',
      '{"level":"loud","event":"x"}',
      '[1]',
      '{}',
    ];
    const stamped = texts.map((text) => `2026-01-01T00:00:02Z ${text}`).join('\n');
    expect(parse(stamped).map(({ event, fields }) => [event, fields.text])).toEqual(
      texts.map((text) => ['text', text]),
    );
  });

  it('understands zones, times before the run, and no fraction', () => {
    const lines = parse('2026-01-01T02:00:03+02:00 a\n2025-12-31T23:59:59.5Z b');
    expect(lines.map(({ atMs }) => atMs)).toEqual([3000, -500]);
  });

  it('gives a line without a time the time of the line before it', () => {
    const lines = parse('2026-01-01T00:00:01Z Error: x\n    at y\n\n2026-01-01T00:00:02Z z');
    expect(lines.map(({ atMs, fields }) => [atMs, fields.text])).toEqual([
      [1000, 'Error: x'],
      [1000, '    at y'],
      [2000, 'z'],
    ]);
  });
});
