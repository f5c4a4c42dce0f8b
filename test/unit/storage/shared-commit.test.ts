import { describe, expect, it } from '@jest/globals';
import { createSharedCommit } from '../../../src/storage/shared-commit.ts';

/** Commits that end when the test says so. */
function manual() {
  const begun: { end: () => void; fail: (error: Error) => void }[] = [];
  const commit = createSharedCommit(
    () =>
      new Promise<void>((resolve, reject) => {
        begun.push({ end: resolve, fail: reject });
      }),
  );
  return { begun, commit };
}

/** Lets everything happen that waits for nothing outside. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a shared commit', () => {
  it('serves everybody who asked before it began, and nobody who asked after', async () => {
    const { begun, commit } = manual();
    const done: string[] = [];
    void commit().then(() => done.push('first'));
    await settled();
    void commit().then(() => done.push('second'));
    void commit().then(() => done.push('third'));
    await settled();
    expect(begun).toHaveLength(1);
    begun[0]?.end();
    await settled();
    expect(done).toEqual(['first']);
    expect(begun).toHaveLength(2);
    begun[1]?.end();
    await settled();
    expect(done.sort()).toEqual(['first', 'second', 'third']);
  });

  it('fails for those that it was for, and then works again', async () => {
    const { begun, commit } = manual();
    const first = expect(commit()).rejects.toThrow('no disk');
    await settled();
    const second = commit();
    begun[0]?.fail(new Error('no disk'));
    await first;
    await settled();
    begun[1]?.end();
    await second;
  });
});
