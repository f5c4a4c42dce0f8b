// The worked examples of docs/ do what their documents say.

import { expect, it } from '@jest/globals';
import { follow } from './followed.ts';

/** A copy of the sources, and a run or two. */
const TIMEOUT_MS = 240_000;

it(
  'a scenario',
  async () => {
    using followed = await follow('docs/writing-a-scenario.md');
    expect(followed.printed).toEqual([expect.stringMatching(/^valid +restart-keeps-exports: /m)]);
  },
  TIMEOUT_MS,
);

it(
  'a fault',
  async () => {
    using followed = await follow('docs/writing-a-fault.md');
    expect(followed.printed).toEqual([expect.stringMatching(/^valid +faults-network: /m)]);
  },
  TIMEOUT_MS,
);

it(
  'a check',
  async () => {
    using followed = await follow('docs/writing-a-check.md');
    expect(followed.printed).toEqual([
      expect.stringMatching(/3 passed/),
      expect.stringMatching(/^valid +concurrent-updates: /m),
    ]);
  },
  TIMEOUT_MS,
);
