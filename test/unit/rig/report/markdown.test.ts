import { expect, it } from '@jest/globals';
import { markdownSummary } from '../../../../src/rig/report/markdown.ts';
import { verdictFile } from '../../../../src/rig/report/verdict.ts';

const verdict = (of: 'valid' | 'invalid' | 'unknown', scenario: string) =>
  verdictFile({
    ...{ scenario, seed: 7, folder: 'unused', elapsedMs: 1_540, verdict: of },
    verdicts: [
      { check: 'logs', verdict: 'valid', reason: 'calm' },
      { check: 'fencing', verdict: of, reason: 'a_b', counterExample: of === 'invalid' ? ['```', 'x'] : [] },
    ],
  });

it('puts first what needs a look, and counts what was not judged', () => {
  const text = markdownSummary([
    { folder: 'runs/1', verdict: verdict('valid', 'one') },
    { folder: 'runs/2', verdict: verdict('unknown', 'two') },
    { folder: 'runs/3', verdict: undefined },
    { folder: 'runs/4', verdict: verdict('invalid', 'four') },
  ]);
  expect(text).toContain('**1 invalid, 1 not judged, 1 unknown, 1 valid**');
  expect(text.match(/^\| (four|runs\/3|two|one) /gm)).toEqual(['| four ', '| runs/3 ', '| two ', '| one ']);
  expect(text).toContain('| four | 7 | invalid | 1.5 s |');
});

it('shows what was found, so that no line of it ends its block, and how to have it again', () => {
  const text = markdownSummary([{ folder: 'runs/4', verdict: verdict('invalid', 'four') }]);
  expect(text).toContain('**fencing** (invalid): a\\_b\n\n````text\n```\nx\n````');
  expect(text).toContain('`npm run rig -- run four --seed 7`, recorded in `runs/4`');
  expect(text).not.toContain('calm');
});

it('says that there is nothing', () => {
  expect(markdownSummary([])).toBe('No run was recorded.\n');
});
