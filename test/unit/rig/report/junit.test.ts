import { describe, expect, it } from '@jest/globals';
import { junit } from '../../../../src/rig/report/junit.ts';
import { verdictFile } from '../../../../src/rig/report/verdict.ts';

const result = {
  scenario: 'a&b',
  seed: 7,
  folder: 'runs/1',
  elapsedMs: 1500.4,
  verdict: 'invalid',
  verdicts: [
    { check: 'access', verdict: 'valid', reason: 'fine' },
    { check: 'logs', verdict: 'unknown', reason: 'nothing "seen"' },
    {
      check: 'fencing',
      verdict: 'invalid',
      reason: '<b>',
      counterExample: [']]> \u0000\u001b[31m', 'x < y', '\ud800'],
    },
  ],
} as const;

describe('junit', () => {
  it('makes an error of what is unknown and a failure of what is invalid', () => {
    const text = junit([result]);
    expect(text).toContain('<testsuite name="a&amp;b" tests="3" failures="1" errors="1" time="1.500">');
    expect(text).toContain('<testcase classname="a&amp;b" name="access"/>');
    expect(text).toContain('<error message="nothing &quot;seen&quot;"></error>');
    expect(text).toContain('<failure message="&lt;b&gt;">');
  });

  it('makes an error of a run of which no check was asked', () => {
    const text = junit([{ ...result, verdict: 'unknown', verdicts: [] }]);
    expect(text).toContain('tests="1" failures="0" errors="1"');
    expect(text).toContain('<error message="no check was asked for"></error>');
  });

  it('escapes what XML can write, and replaces what it cannot', () => {
    const text = junit([result]);
    expect(text).toContain(']]&gt; \ufffd\ufffd[31m&#10;x &lt; y&#10;\ufffd');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of these may be there.
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  });
});

describe('verdictFile', () => {
  it('has no good word for a run that did not come to its end', () => {
    const glance = {
      found: [],
      interrupted: 'interrupted at +1.000 s: Somebody stopped it.',
      faults: '',
      calls: '',
    };
    expect(verdictFile({ ...result, verdict: 'valid', glance })).toMatchObject({
      verdict: 'unknown',
      exitCode: 3,
    });
  });

  it('says the verdict, the exit code and how to do it again', () => {
    expect(verdictFile(result)).toEqual({
      formatVersion: 1,
      scenario: 'a&b',
      seed: 7,
      verdict: 'invalid',
      exitCode: 1,
      elapsedMs: 1500,
      command: 'npm run rig -- run a&b --seed 7',
      checks: result.verdicts,
    });
  });
});
