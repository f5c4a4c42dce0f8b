import { existsSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { createSeededRandom } from '../../../src/base/random.ts';
import { claimPlace } from '../../../src/process/place.ts';

it('gives each run a network and a folder of its own, for as long as it has them', async () => {
  // The same draws, so that both want the same.
  const first = await claimPlace(createSeededRandom(1), 'first');
  const second = await claimPlace(createSeededRandom(1), 'second');
  const networks = [first, second].map((place) => place.addressOf('node1').split('.')[1]);
  expect(networks[0]).not.toBe(networks[1]);
  expect(first.folder).not.toBe(second.folder);
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  expect([first, second].map(({ folder }) => existsSync(folder))).toEqual([false, false]);
  await using again = await claimPlace(createSeededRandom(1), 'again');
  expect(again.addressOf('node1').split('.')[1]).toBe(networks[0]);
});

it('tells by its address who connects to whom', async () => {
  await using place = await claimPlace(createSeededRandom(2), 'links');
  for (const member of ['etcd', 'node1', 'node2']) place.addressOf(member);
  const all = [
    place.addressOf('node1'),
    place.addressOf('node2'),
    place.seenFrom('node1', 'node2'),
    place.seenFrom('node2', 'node1'),
    place.seenFrom('node1', 'etcd'),
    place.behind('etcd'),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(all.every((address) => /^127\.\d+\.\d+\.\d+$/.test(address))).toBe(true);
  expect(place.seenFrom('node1', 'node1')).toBe(place.addressOf('node1'));
});

it('refuses more members than it has addresses for', async () => {
  await using place = await claimPlace(createSeededRandom(3), 'many');
  for (let count = 1; count <= 253; count += 1) place.addressOf(`node${count}`);
  expect(() => place.addressOf('node254')).toThrow('for 253 processes');
});
