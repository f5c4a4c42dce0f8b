import { describe, expect, it } from '@jest/globals';
import type Docker from 'dockerode';
import type { Clock } from '../../../src/base/clock.ts';
import { removeWhatComes } from '../../../src/rig/docker/removal.ts';

/** An engine in which at those times a container of the run comes to be. */
function engineThatMakes(comingMs: readonly number[]) {
  let nowMs = 0;
  const clock = {
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  } as unknown as Clock;
  const left = new Set(comingMs);
  const docker = {
    listContainers: async () => [...left].filter((ms) => ms <= nowMs).map((ms) => ({ Id: String(ms) })),
    getContainer: (id: string) => ({ remove: async () => void left.delete(Number(id)) }),
    listNetworks: async () => [],
    listVolumes: async () => ({ Volumes: null }),
  } as unknown as Docker;
  return { clock, docker, left };
}

describe('what a Compose that was cut short has asked for', () => {
  it('is removed also where it is made after the first look', async () => {
    const { left, ...engine } = engineThatMakes([0, 300, 800]);
    await removeWhatComes({ ...engine, runId: 'r' });
    expect([...left]).toEqual([]);
  });

  it('is told of where it does not end', async () => {
    const { left: _, ...engine } = engineThatMakes(
      Array.from({ length: 100 }, (_unused, index) => index * 400),
    );
    await expect(removeWhatComes({ ...engine, runId: 'r' })).rejects.toMatchObject({ code: 'timeout' });
  });
});
