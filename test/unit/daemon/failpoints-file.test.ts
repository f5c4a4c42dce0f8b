import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createFailpoints } from '../../../src/base/failpoints.ts';
import { createLog } from '../../../src/base/log.ts';
import { switchedByFile } from '../../../src/daemon/failpoints-file.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const NAME = 'agent/after-create';

describe('failpoints that a file switches', () => {
  let folder: string;
  let path: string;
  let lines: string[];
  const reached: string[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cobalt-failpoints-'));
    path = join(folder, 'failpoints');
    lines = [];
    reached.length = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const failpoints = () => {
    const clock = createManualClock();
    const log = createLog({ write: (line) => lines.push(line), nowMs: clock.nowMs });
    return createFailpoints({
      clock,
      actions: switchedByFile({ path, log, otherwise: {} }),
      crash: () => Promise.reject(new Error('crashed')),
      onReached: (name, { kind }) => reached.push(`${name} ${kind}`),
    });
  };

  it('do nothing without the file, what it says with it, and nothing once it is gone', async () => {
    const { reach } = failpoints();
    await reach(NAME);
    await writeFile(path, `${NAME}=error\n`);
    await expect(reach(NAME)).rejects.toMatchObject({ code: 'io' });
    await writeFile(path, `${NAME}=crash`);
    await expect(reach(NAME)).rejects.toThrow('crashed');
    await reach('agent/before-create');
    await rm(path);
    await reach(NAME);
    expect(reached).toEqual([`${NAME} error`, `${NAME} crash`]);
  });

  it('are counted anew when the file changes, and not before', async () => {
    const { reach } = failpoints();
    const outcomes: string[] = [];
    for (const text of [`${NAME}=1*error`, undefined, `${NAME}=1*error;agent/before-trash=crash`]) {
      if (text !== undefined) await writeFile(path, text);
      outcomes.push(
        await reach(NAME).then(
          () => 'nothing',
          () => 'error',
        ),
      );
    }
    expect(outcomes).toEqual(['error', 'nothing', 'error']);
  });

  it('stay off, with a word, when the file makes no sense', async () => {
    await writeFile(path, 'nowhere=crash');
    await failpoints().reach(NAME);
    expect(lines.join()).toContain("'nowhere=crash' is no failpoint");
  });
});
