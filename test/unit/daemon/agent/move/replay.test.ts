// Calls of a move that somebody has recorded, and makes once more.

import { afterEach, expect, it } from '@jest/globals';
import { createSeededRandom, hex } from '../../../../../src/base/random.ts';
import { peerHeaders } from '../../../../../src/daemon/peer-auth.ts';
import { ensureSecret } from '../../../../../src/daemon/secret.ts';
import type { Bytes } from '../../../../../src/network/network.ts';
import { ID } from '../../../model/volumes.ts';
import { begin, FILES, scene, settled } from './story.ts';

const random = createSeededRandom(7);
afterEach(() => expect(scene.violations).toEqual([]));

async function* stream(text: string): Bytes {
  yield new TextEncoder().encode(text);
}

/** The call of node a by which node b got the copy, as whoever listened has it; with a body of their own. */
async function repeat(name: string, nonce: string): Promise<number> {
  const secret = await ensureSecret({ kv: scene.kv, random });
  const path = `/copies/${ID}/${name}`;
  const headers = peerHeaders({ method: 'PUT', path, from: 'a', to: 'b' }, { secret, nonce });
  const { signal } = new AbortController();
  const { handler } = scene.place('b').mover();
  return (await handler({ method: 'PUT', path, headers, body: stream('garbage'), signal })).status;
}

it.each(['move/after-send', 'move/before-handover'])(
  'leaves a copy alone that has arrived (%s)',
  async (failpoint) => {
    const { place, move } = await begin();
    const answers: number[] = [];
    place('a').hooks.failpoint = async (point) => {
      if (point !== failpoint) return;
      for (const name of place('b').copies()) answers.push(await repeat(name, hex(random, 32)));
    };
    await move('b');
    await settled('b', FILES);
    expect(answers.length).toBeGreaterThan(0);
    expect(new Set(answers)).toEqual(new Set([409]));
    expect(place('a').events()).not.toContain('move.failed');
  },
);

it('does not disturb a copy that is arriving', async () => {
  const { place, move } = await begin();
  const answers: number[] = [];
  place('b').hooks.storage = (storage) => ({
    ...storage,
    receive: async (copy, body) => {
      answers.push(await repeat(copy.name, hex(random, 32)));
      await storage.receive(copy, body);
    },
  });
  place('b').kill();
  await place('b').start();
  await move('b');
  await settled('b', FILES);
  expect(new Set(answers)).toEqual(new Set([409]));
  expect(place('a').events()).not.toContain('move.failed');
});

it('answers a call once only', async () => {
  await begin();
  const secret = await ensureSecret({ kv: scene.kv, random });
  const call = { method: 'GET', path: `/copies/${ID}`, from: 'a', to: 'b' };
  const headers = peerHeaders(call, { secret, nonce: hex(random, 32) });
  const { signal } = new AbortController();
  const { handler } = scene.place('b').mover();
  const statuses: number[] = [];
  for (let times = 0; times < 2; times += 1) {
    statuses.push((await handler({ ...call, headers, body: stream(''), signal })).status);
  }
  expect(statuses).toEqual([200, 401]);
});
