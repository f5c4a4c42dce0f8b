import { describe, expect, it } from '@jest/globals';
import { expectations } from '../../../../src/rig/checks/expectations.ts';
import { createHistory } from '../support/history.ts';

describe('expectations', () => {
  it('accepts bounds that were kept', () => {
    const run = createHistory().expectation({ boundMs: 100, measuredMs: 100 }).expectation({}).run();
    expect(expectations(run)).toMatchObject({ verdict: 'valid', reason: '2 expectations met' });
  });

  it('rejects one that was missed, and says what, the bound and what was seen', () => {
    const missed = {
      outcome: 'missed',
      what: 'a leads',
      boundMs: 100,
      measuredMs: 130.4,
      seen: 'nobody',
    } as const;
    const verdict = expectations(createHistory().at(500).expectation({}).expectation(missed).run());
    expect(verdict).toMatchObject({ verdict: 'invalid', reason: '1 expectation missed: a leads' });
    expect(verdict.counterExample).toEqual([
      '+0.500 s: a leads (within 100 ms, took 130 ms)',
      '  last seen: nobody',
    ]);
  });

  it('rejects one that was met too late', () => {
    expect(
      expectations(createHistory().at(500).expectation({ boundMs: 100, measuredMs: 101 }).run()).verdict,
    ).toBe('invalid');
  });

  it('knows nothing of what could not be observed, or of nothing at all', () => {
    expect(
      expectations(createHistory().expectation({}).expectation({ outcome: 'unseen' }).run()).verdict,
    ).toBe('unknown');
    expect(expectations(createHistory().run()).verdict).toBe('unknown');
  });

  it('says what is wrong before what nobody knows', () => {
    const run = createHistory().expectation({ outcome: 'unseen' }).expectation({ outcome: 'missed' }).run();
    expect(expectations(run).verdict).toBe('invalid');
  });
});
