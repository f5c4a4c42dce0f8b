// The pure parts of the page's script, and how its modules become one.

import { Script } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { pageAssets } from '../../../../src/rig/page-assets.ts';
import { firstAt, rates, rowsIn, searcher } from '../../../../src/rig/report/page/rows.js';
import {
  around,
  marks,
  shifted,
  spanOf,
  united,
  within,
  zoomed,
} from '../../../../src/rig/report/page/window.js';

const endMs = 10_000;

describe('the window', () => {
  it('keeps what is under the pointer where it is while it is zoomed', () => {
    expect(zoomed({ fromMs: 0, toMs: 1000 }, { factor: 0.5, atMs: 250, endMs })).toEqual({
      fromMs: 125,
      toMs: 625,
    });
  });

  it('never leaves the run, nor becomes empty', () => {
    expect(within({ fromMs: -500, toMs: 500 }, endMs)).toEqual({ fromMs: 0, toMs: 1000 });
    expect(shifted({ fromMs: 9000, toMs: 10_000 }, { share: 1, endMs })).toEqual({
      fromMs: 9000,
      toMs: endMs,
    });
    expect(within({ fromMs: 40, toMs: 40 }, endMs)).toEqual({ fromMs: 40, toMs: 45 });
    expect(zoomed({ fromMs: 0, toMs: endMs }, { factor: 9, atMs: 1, endMs })).toEqual({
      fromMs: 0,
      toMs: endMs,
    });
  });

  it('leaves room around a moment', () => {
    expect(around({ fromMs: 5000, toMs: 5000 }, endMs)).toEqual({ fromMs: 4500, toMs: 5500 });
  });

  it('has round marks, as many as there is room for', () => {
    expect(marks({ fromMs: 950, toMs: 3100 }, 5)).toEqual([1000, 1500, 2000, 2500, 3000]);
    expect(marks({ fromMs: 0, toMs: 100 * 3_600_000 }, 10)).toHaveLength(11);
  });

  it('is shaded once where several faults overlap', () => {
    const spans = [
      { fromMs: 30, toMs: 40 },
      { fromMs: 0, toMs: 10 },
      { fromMs: 5, toMs: 7 },
      { fromMs: 10, toMs: 20 },
    ];
    expect(united(spans)).toEqual([
      { fromMs: 0, toMs: 20 },
      { fromMs: 30, toMs: 40 },
    ]);
  });

  it('is read from a link to a moment, and from no other', () => {
    expect(spanOf('#t=16000-18000.5')).toEqual({ fromMs: 16_000, toMs: 18_000.5 });
    expect(['', '#t=', '#t=1', '#x=1-2', '#t=1-2x'].map(spanOf)).toEqual(Array(5).fill(undefined));
  });
});

describe('the rows', () => {
  const atMs = [0, 10, 10, 20, 30];

  it('are those of the window that match', () => {
    expect(firstAt(atMs, 10)).toBe(1);
    expect(rowsIn(atMs, { fromMs: 10, toMs: 20 }, () => true)).toEqual([1, 2, 3]);
    expect(rowsIn(atMs, { fromMs: 0, toMs: 30 }, (index) => index % 2 === 0)).toEqual([0, 2, 4]);
  });

  it('match when every word occurs, in whatever case', () => {
    expect(searcher(' Volume  ERROR ')('an error of volume a')).toBe(true);
    expect(searcher('volume error')('volume a')).toBe(false);
    expect(searcher('')('anything')).toBe(true);
  });

  it('count calls by when they ended, a refusal as an answer', () => {
    const columns = { client: [], server: [], operation: [], detail: [], total: 4 };
    const calls = { ...columns, atMs: [0, 0, 400, 900], tookMs: [100, 600, 100, 100], outcome: [0, 3, 1, 2] };
    expect(rates(calls, { endMs: 1000, bins: 2 })).toEqual({ atMs: [250, 750], good: [2, 2], bad: [0, 4] });
  });
});

describe('pageAssets', () => {
  it('joins the modules, each after what it needs, into scripts that an engine accepts', () => {
    const [uPlot, own] = pageAssets().scripts;
    for (const script of [uPlot, own]) expect(() => new Script(script?.text ?? '!')).not.toThrow();
    expect(own?.text).not.toMatch(/^(import|export) /m);
    expect(own?.text.indexOf('function within')).toBeLessThan(own?.text.indexOf('function createView') ?? 0);
    expect(own?.sha256).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });
});
