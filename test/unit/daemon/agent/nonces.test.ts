import { expect, it } from '@jest/globals';
import { createNonces } from '../../../../src/daemon/agent/nonces.ts';
import { createManualClock } from '../../../support/manual-clock.ts';

it('knows the nonces that it has met for some minutes', async () => {
  const clock = createManualClock();
  const nonces = createNonces(clock);
  expect(nonces.isNew('a')).toBe(true);
  await clock.advance(14 * 60_000);
  expect(nonces.isNew('a')).toBe(false);
  expect(nonces.isNew('b')).toBe(true);
  await clock.advance(2 * 60_000);
  expect(nonces.isNew('b')).toBe(false);
  expect(nonces.isNew('a')).toBe(true);
});

it('forgets the oldest ones rather than grow for ever', () => {
  const nonces = createNonces(createManualClock(), { most: 3 });
  for (const nonce of ['a', 'b', 'c', 'd', 'e']) expect(nonces.isNew(nonce)).toBe(true);
  for (const nonce of ['e', 'd', 'c']) expect(nonces.isNew(nonce)).toBe(false);
  expect(nonces.isNew('a')).toBe(true);
});
