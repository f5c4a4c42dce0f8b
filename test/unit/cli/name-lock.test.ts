// Two of one name, from wherever they are called.

import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { createSystemClock } from '../../../src/base/clock.ts';
import { lockName } from '../../../src/cli/name-lock.ts';

const clock = createSystemClock();
const { signal } = new AbortController();
const nameOf = (test: string): string => `name-lock-test ${test} ${process.pid}`;

const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('waits until the first is done, and not for another name', async () => {
  const name = nameOf('waits');
  const done: string[] = [];
  const first = await lockName({ name, clock, signal });
  const second = lockName({ name, clock, signal }).then((lock) => {
    done.push('second');
    return lock;
  });
  (await lockName({ name: `${name} other`, clock, signal }))[Symbol.dispose]();
  done.push('first');
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  expect(done).toEqual(['first', 'second']);
});

onLinux('has nothing left of one that was killed', async () => {
  const name = nameOf('killed');
  const module = new URL('../../../src/cli/name-lock.ts', import.meta.url).href;
  const holder = execa(
    process.execPath,
    [
      '--input-type=module',
      '--eval',
      `const { lockName } = await import(${JSON.stringify(module)});
     const { createSystemClock } = await import(${JSON.stringify(new URL('../../../src/base/clock.ts', import.meta.url).href)});
     await lockName({ name: ${JSON.stringify(name)}, clock: createSystemClock(), signal: new AbortController().signal });
     console.log('held');
     setInterval(() => undefined, 1000);`,
    ],
    { reject: false },
  );
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const next = lockName({ name, clock, signal });
  holder.kill('SIGKILL');
  (await next)[Symbol.dispose]();
  expect((await holder).signal).toBe('SIGKILL');
});

onLinux('ends with an interrupt', async () => {
  const name = nameOf('interrupt');
  using _first = await lockName({ name, clock, signal });
  const stop = new AbortController();
  const second = lockName({ name, clock, signal: stop.signal });
  stop.abort();
  await expect(second).rejects.toThrow();
});
