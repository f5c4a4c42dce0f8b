// A container that the kernel does not freeze at once.

import { expect, it } from '@jest/globals';
import { actOnContainer } from '../../../src/rig/docker/acts.ts';
import type { Containers } from '../../../src/rig/docker/containers.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** Refused so often, and how often it was tried. */
function container(refusals: number) {
  const counted = { tries: 0, state: 'running' };
  const pause = async (): Promise<void> => {
    counted.tries += 1;
    if (counted.tries <= refusals) throw new Error('OCI runtime pause failed: unable to freeze: unknown');
    counted.state = 'paused';
  };
  const containers = { state: async () => counted.state, get: async () => ({}), pause } as unknown;
  return { counted, containers: containers as Containers };
}

it('is tried again until the kernel freezes it', async () => {
  const clock = createManualClock();
  const { counted, containers } = container(5);
  const paused = actOnContainer({ containers, clock }, 'pause', 'node1');
  await clock.advance(1_000);
  await paused;
  expect(counted).toEqual({ tries: 6, state: 'paused' });
});

it('is left alone in the end, which is no fault of the machine', async () => {
  const clock = createManualClock();
  const { containers } = container(Number.POSITIVE_INFINITY);
  const refused = expect(actOnContainer({ containers, clock }, 'pause', 'node1')).rejects.toMatchObject({
    code: 'conflict',
    message: "cannot pause node1: the kernel can't freeze it",
  });
  await clock.advance(6_000);
  await refused;
});
