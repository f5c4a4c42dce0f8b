import { describe, expect, it } from '@jest/globals';
import { createFailpoints, parseFailpoints } from '../../../src/base/failpoints.ts';
import { createManualClock } from '../../support/manual-clock.ts';

describe('failpoints', () => {
  it('are off when nothing is said', async () => {
    expect(parseFailpoints('')).toEqual({});
    await createFailpoints({ clock: createManualClock(), actions: {} }).reach('engine/before-transact');
  });

  it('hold up whoever reaches one, for as long as was said', async () => {
    const clock = createManualClock();
    const actions = parseFailpoints(' engine/before-transact=sleep(300) ;');
    let passed = false;
    const reached = createFailpoints({ clock, actions })
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

  it.each([
    'engine',
    'nowhere=sleep(1)',
    'engine/before-transact=sleep(60001)',
    'engine/before-transact=panic',
  ])('refuse %s', (text) => {
    expect(() => parseFailpoints(text)).toThrow('is no failpoint');
  });
});
