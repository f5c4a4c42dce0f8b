// Kernel mounts on record, with a consumer that is played.

import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { waitFor } from '../../../src/base/retry.ts';
import { observe } from '../../../src/rig/conditions.ts';
import type { MountChange } from '../../../src/rig/consumer/mount-protocol.ts';
import type { Deployment, HttpResponse } from '../../../src/rig/deployment.ts';
import type { MountEvent } from '../../../src/rig/history.ts';
import { createKernelMounts } from '../../../src/rig/kernel-mounts.ts';
import type { View } from '../../../src/rig/scene.ts';
import { parseTopology } from '../../../src/rig/topology.ts';

const clock = createSystemClock();
const VOLUME = 'v0123456789abcdef';
const mounted = { consumer: 'consumer1', volume: VOLUME };
const topology = parseTopology({ nodes: [{ name: 'node1' }], consumers: ['consumer1'] }, 'this test');

const responding = (status: number, body: unknown): HttpResponse => ({
  status,
  headers: { get: () => null },
  body: null,
  text: async () => JSON.stringify(body),
  json: async () => body,
});

/** A consumer that answers a mount so, and says what has changed whenever `change` is called. */
function playedConsumer(answer: HttpResponse) {
  const recorded: MountEvent[] = [];
  let say: (line: string) => void = () => undefined;
  const stream = async function* (signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    for (;;) {
      const line = await new Promise<string>((resolve, reject) => {
        say = resolve;
        signal?.addEventListener('abort', () => reject(new Error('hung up')));
      });
      yield new TextEncoder().encode(`${line}\n`);
    }
  };
  const deployment: Pick<Deployment, 'prepareMounts' | 'consumer' | 'fetch' | 'topology'> = {
    topology,
    prepareMounts: async () => undefined,
    consumer: async () => 'http://consumer1',
    fetch: async (url, request) =>
      url.endsWith('/mounts/changes') ? { ...answer, status: 200, body: stream(request?.signal) } : answer,
  };
  const journal = { record: (event: object) => void recorded.push(event as MountEvent) };
  const kernel = createKernelMounts({ clock, deployment, journal });
  const change = async (did: MountChange['did'], server: string | null): Promise<void> => {
    const before = recorded.length;
    say(JSON.stringify({ number: 1, volume: VOLUME, at: '/mnt/a', did, server, why: 'asked', tookMs: 1 }));
    const probe = async () => (recorded.length > before ? true : undefined);
    await waitFor({
      clock: createSystemClock(),
      what: 'it to be recorded',
      timeoutMs: 5_000,
      intervalMs: 1,
      probe,
    });
  };
  const look = (on: string | null) =>
    observe({ kernel, names: { idOf: () => VOLUME } } as unknown as View, {
      mounted: 'consumer1',
      of: 'a',
      on,
    });
  return { kernel, recorded, change, look, deployment, journal };
}

describe('kernel mounts in a script', () => {
  it('are where the consumer has said last, on record as it says so', async () => {
    const { kernel, recorded, change, look } = playedConsumer(
      responding(200, { volume: VOLUME, at: '/mnt/a', server: 'node1', options: 'hard', by: 'vm (tcg)' }),
    );
    expect(await kernel.mount({ ...mounted, server: 'node1' })).toEqual({
      holds: true,
      seen: 'mounted at /mnt/a by vm (tcg)',
    });
    expect(await look('node1')).toMatchObject({ holds: true });
    expect(await look('node2')).toEqual({ holds: false, seen: 'mounted from node1' });
    await change('unmounted', null);
    expect(await look(null)).toEqual({ holds: true, seen: 'it is not mounted' });
    await change('mounted', 'node2');
    await change('opened', 'node1');
    expect(await look('node2')).toMatchObject({ holds: true });
    await change('failed', 'node3');
    expect(await look('node3')).toEqual({ holds: false, seen: 'it is not mounted' });
    await kernel.end();
    expect(recorded.map(({ did, server }) => `${did} ${server}`)).toEqual([
      'unmounted null',
      'mounted node2',
      'opened node1',
      'failed node3',
    ]);
  });

  it('have what they need booted before, once, and say only when they are made what went wrong with that', async () => {
    const { deployment, journal } = playedConsumer(responding(500, { error: 'it does not boot' }));
    let count = 0;
    const prepareMounts = async (): Promise<void> => {
      count += 1;
      if (count > 1) throw new Error('twice');
    };
    const kernel = createKernelMounts({ clock, deployment: { ...deployment, prepareMounts }, journal });
    kernel.warm('consumer1');
    const said = await kernel.mount({ ...mounted, server: 'node1' });
    expect(said).toEqual({ holds: false, seen: 'consumer1: it does not boot' });
    await kernel.end();
  });

  it('say why they could not be made', async () => {
    const { kernel, look } = playedConsumer(responding(500, { error: 'EACCES: denied' }));
    expect(await kernel.mount({ ...mounted, server: 'node1' })).toEqual({
      holds: false,
      seen: 'consumer1: EACCES: denied',
    });
    expect(await look('node1')).toEqual({ holds: true, seen: 'not asked: it was never mounted' });
    await kernel.end();
  });

  it.each([
    ['its image has none', (found: ReturnType<typeof playedConsumer>) => found.kernel],
    [
      'the mode has none',
      ({ deployment: { prepareMounts: _, ...rest }, journal }: ReturnType<typeof playedConsumer>) =>
        createKernelMounts({ clock, deployment: rest, journal }),
    ],
  ])('are not asked for where %s, which is on record', async (_, choose) => {
    const played = playedConsumer(responding(501, { error: 'no virtual machine' }));
    const kernel = choose(played);
    expect(await kernel.mount({ ...mounted, server: 'node1' })).toBeUndefined();
    expect(kernel.serverOf(mounted)).toBeUndefined();
    await kernel.end();
    expect(played.recorded).toMatchObject([{ type: 'mount', did: 'unavailable', ...mounted }]);
  });
});
