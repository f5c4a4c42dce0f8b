// What jest's tests of a cluster have in common: `import { describeEachMode } from
// 'cobalt-rig/jest'`, which also gives `expect` the matcher `toBecomeReady`.

import { describe, expect } from '@jest/globals';
import { RigError } from './base/errors.ts';
import type { Cluster } from './cluster/cluster.ts';
import { type ModeName, modeNamed } from './cluster/modes.ts';
import type { Waiting } from './cluster/readiness.ts';
import type { VolumeHandle } from './cluster/volume-handle.ts';

export { eventually } from './cluster/eventually.ts';

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> {
    /**
     * Of a cluster: every API lists the nodes that run, and no other. Of a volume: it is ready, with its exports.
     * To be awaited; says what was seen last when it wasn't ready in time (default: 60,000 ms).
     */
    toBecomeReady(options?: Waiting): Promise<R>;
  }
}

expect.extend({
  async toBecomeReady(received: unknown, options?: Waiting) {
    const wait = readinessOf(received);
    const failure = await wait(options).then(
      () => undefined,
      (error: unknown) => RigError.from(error),
    );
    if (failure !== undefined && failure.code !== 'timeout') throw failure;
    const message = (): string => failure?.message ?? 'it became ready, which it was not to';
    return { pass: failure === undefined, message };
  },
});

function readinessOf(received: unknown): (options?: Waiting) => Promise<unknown> {
  const { waitFor, becomeReady } = (received ?? {}) as Partial<
    Pick<Cluster, 'waitFor'> & Pick<VolumeHandle, 'becomeReady'>
  >;
  const wait = becomeReady ?? waitFor;
  if (wait !== undefined) return wait;
  throw new RigError('invalid', `toBecomeReady is for a cluster or a volume, not for ${typeof received}`);
}

/**
 * `describe` once for each mode. Of a mode that can't be had on this machine the tests are shown as skipped, with the
 * reason in their name. To be awaited, at the top of the file: only then jest knows of the tests.
 */
export async function describeEachMode(
  modes: readonly ModeName[],
  name: string,
  tests: (mode: ModeName) => void,
): Promise<void> {
  const found = await Promise.all(
    modes.map(async (mode) => ({ mode, missing: await modeNamed(mode).missing() })),
  );
  for (const { mode, missing } of found) {
    if (missing === undefined) describe(`${name} (${mode})`, () => tests(mode));
    else describe.skip(`${name} (${mode} can't be had here: ${missing})`, () => tests(mode));
  }
}
