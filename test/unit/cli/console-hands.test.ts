// What the console does with the orders that it is given, one after the other.

import { expect, it } from '@jest/globals';
import { createTaker } from '../../../src/cli/console/hands.ts';
import { createHub } from '../../../src/cli/console/hub.ts';
import { type Order, parseOrder } from '../../../src/rig/console/order.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const PASSING = { do: 'heal', ids: ['loss'], onlyOf: '1a2b3c4d' } as const;
const FAULT = parseOrder({
  ...{ do: 'fault', fault: 'loss', fields: { on: 'one', percent: '7' }, forSeconds: 30 },
});

function taken() {
  const clock = createManualClock();
  const done: Order[] = [];
  const taker = createTaker({
    ...{ hub: createHub(clock), clock, onDone: () => undefined },
    carryOut: async (order) => {
      done.push(order);
      const later = order.do === 'fault' && { later: { order: PASSING, afterMs: 30_000 } };
      return { state: 'done', told: '', ...later };
    },
  });
  return { clock, done, taker };
}

it('heals what was to last so long when that is over', async () => {
  const { clock, done, taker } = taken();
  taker.give(FAULT);
  await clock.advance(29_000);
  expect(done).toEqual([FAULT]);
  await clock.advance(2_000);
  expect(done).toEqual([FAULT, PASSING]);
});

it('leaves it to rig heal where the console has ended before', async () => {
  const { clock, done, taker } = taken();
  taker.give(FAULT);
  await taker.idle();
  await clock.advance(60_000);
  expect(done).toEqual([FAULT]);
});
