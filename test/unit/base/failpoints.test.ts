import { describe, expect, it } from '@jest/globals';
import { createFailpoints, parseFailpoints } from '../../../src/base/failpoints.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const noCrash = (): Promise<never> => Promise.reject(new Error('crashed'));

describe('failpoints', () => {
  it('are off when nothing is said', async () => {
    expect(parseFailpoints('')).toEqual({});
    await createFailpoints({ clock: createManualClock(), actions: {}, crash: noCrash }).reach(
      'engine/before-transact',
    );
  });

  it('hold up whoever reaches one, for as long as was said', async () => {
    const clock = createManualClock();
    const actions = parseFailpoints(' engine/before-transact=sleep(300) ;');
    let passed = false;
    const reached = createFailpoints({ clock, actions, crash: noCrash })
      .reach('engine/before-transact')
      .then(() => {
        passed = true;
      });
    await clock.advance(299);
    expect(passed).toBe(false);
    await clock.advance(1);
    await reached;
    expect(passed).toBe(true);
  });

  it('end the process, hold it up for good, or fail, as often as was said', async () => {
    const clock = createManualClock();
    const crashes: string[] = [];
    const actions = parseFailpoints(
      'agent/after-create=2*error; agent/after-clone=crash; agent/after-trash=pause',
    );
    const failpoints = createFailpoints({
      clock,
      actions,
      crash: async () => {
        crashes.push('crash');
        throw new Error('gone');
      },
    });
    await expect(failpoints.reach('agent/after-create')).rejects.toMatchObject({ code: 'io' });
    await expect(failpoints.reach('agent/after-create')).rejects.toMatchObject({ code: 'io' });
    await failpoints.reach('agent/after-create');
    await expect(failpoints.reach('agent/after-clone')).rejects.toThrow('gone');
    expect(crashes).toEqual(['crash']);
    let passed = false;
    void failpoints.reach('agent/after-trash').then(() => {
      passed = true;
    });
    await clock.advance(1_000_000);
    expect(passed).toBe(false);
  });

  it.each([
    'engine',
    'agent/after-create=-1*crash',
    'agent/after-create=crash(1)',
    'nowhere=sleep(1)',
    'engine/before-transact=sleep(60001)',
    'engine/before-transact=panic',
  ])('refuse %s', (text) => {
    expect(() => parseFailpoints(text)).toThrow('is no failpoint');
  });
});
