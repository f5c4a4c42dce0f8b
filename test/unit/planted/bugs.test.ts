// The planted bugs themselves: a patch that no longer applies, or that the track record doesn't tell of, is one
// that nobody would miss.

import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { RECIPES } from '../../../src/rig/docker/recipes.ts';
import { parseBug, plantedRun, withBug } from '../../planted/bug.ts';
import { plant, readBugs } from '../../planted/sources.ts';

const MOST_LINES = 20;
const bugs = readBugs();
const sources = RECIPES.find(({ name }) => name === 'node')?.sources ?? [];
const read = (path: string): string => readFileSync(path, 'utf8');

describe('the planted bugs', () => {
  it('are as many as were promised', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(20);
  });

  it.each(bugs)('$name applies to the present sources of a node, in a few lines', (bug) => {
    const changed = withBug(bug, read);
    expect(changed.size).toBeGreaterThan(0);
    for (const [path, text] of changed) {
      expect(sources.some((source) => path.startsWith(`${source}/`))).toBe(true);
      expect(text).not.toBe(read(path));
    }
    const lines = bug.patches.flatMap(({ hunks }) => hunks.flatMap((hunk) => hunk.lines));
    expect(lines.filter((line) => /^[+-]/.test(line)).length).toBeLessThanOrEqual(MOST_LINES);
  });

  it('are all in the track record, with the check that catches them and the run', () => {
    const rows = read('README.md').split('\n');
    const missing = bugs.filter(
      ({ name, caughtBy, run }) =>
        !rows.some(
          (row) =>
            row.includes(`\`npm run planted -- ${name}\``) && row.includes(`\`${caughtBy}\` in \`${run}\``),
        ),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });
});

describe('parseBug', () => {
  const DIFF = '--- a/src/a.ts\n+++ b/src/a.ts\n@@ -1,1 +1,1 @@\n-one\n+two\n';
  const text = ({
    prose = 'It is wrong.\n',
    caughtBy = 'fencing',
    run = 'engine-leader-down --seed 1',
  } = {}): string => `${prose}\nCaught-by: ${caughtBy}\nRun: ${run}\n${DIFF}`;

  it('reads what is wrong, and where it shows', () => {
    const bug = parseBug('a', text({ prose: 'It is wrong,\nover two lines.\n' }));
    expect(bug).toMatchObject({
      wrong: 'It is wrong, over two lines.',
      caughtBy: 'fencing',
      run: 'engine-leader-down --seed 1',
    });
    expect(withBug(bug, () => 'one\n')).toEqual(new Map([['src/a.ts', 'two\n']]));
  });

  it.each([
    ['a check that there is not', text({ caughtBy: 'luck' }), "no check 'luck'"],
    ['a scenario that there is not', text({ run: 'sunshine --seed 1' }), "no scenario 'sunshine'"],
    ['a check that its scenario does not ask for', text({ caughtBy: 'clones' }), 'not judged by clones'],
    ['a run without a seed', text({ run: 'engine-leader-down' }), 'is no run'],
    ['no words', text({ prose: '' }), 'what is wrong'],
    ['no fields', `It is wrong.\n${DIFF}`, "no line 'Caught-by"],
    [
      'a file outside of the sources',
      text().replaceAll('b/src/a.ts', 'b/src/../../a.ts'),
      'no file that an image',
    ],
    ['a file of its own name', text().replaceAll('b/src/a.ts', '/etc/a.ts'), 'no file that an image'],
    ['no diff', text().split('---')[0] ?? '', "no line 'Caught-by"],
  ])('refuses one with %s', (_what, patch, message) => {
    expect(() => parseBug('a', patch)).toThrow(message);
  });

  it('refuses to apply a patch to what has changed', () => {
    expect(() => withBug(parseBug('a', text()), () => 'three\n')).toThrow('test/planted/a.patch');
  });

  it('leaves no copy behind of sources that it could not be planted in', () => {
    const copies = () => readdirSync(tmpdir()).filter((name) => name.startsWith('cobalt-rig-planted-'));
    const before = copies();
    const stale = text().replaceAll('src/a.ts', 'src/daemon/main.ts');
    expect(() => plant(parseBug('a', stale))).toThrow('does not apply');
    expect(copies()).toEqual(before);
  });

  it('draws chaos from its seed, for as long as it says', () => {
    const { scenario, seed } = plantedRun('chaos --seed 7 --duration 20s');
    expect([seed, scenario.plan?.durationMs]).toEqual([7, 20_000]);
  });
});
