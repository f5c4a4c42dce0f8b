import { expect, it } from '@jest/globals';
import { type Change, putChange } from '../../../src/kv/memory-history.ts';
import { createSubscribers } from '../../../src/kv/memory-subscribers.ts';

const change = (key: string): Change =>
  putChange({ key, value: '', createRevision: 2, modRevision: 2, version: 1, lease: '0' }, undefined);

function createListeners() {
  const subscribers = createSubscribers();
  const heard: string[] = [];
  const listen = (name: string, prefix: string): (() => void) =>
    subscribers.add(prefix, (changes) => heard.push(`${name}: ${changes.map(({ key }) => key).join(' ')}`));
  return {
    listen,
    hearing: (...keys: string[]): readonly string[] => {
      subscribers.deliver(keys.map(change));
      return heard.splice(0);
    },
  };
}

it('hands everybody the changes under its prefix, in the order in which prefixes were first subscribed to', () => {
  const { listen, hearing } = createListeners();
  listen('volume', 'volumes/v1');
  listen('volumes', 'volumes/');
  listen('all', '');
  listen('volumes again', 'volumes/');
  listen('nodes', 'nodes/');
  listen('longer', 'volumes/v1/x');
  expect(hearing('volumes/v2', 'volumes/v1', 'leader')).toEqual([
    'volume: volumes/v1',
    'volumes: volumes/v2 volumes/v1',
    'volumes again: volumes/v2 volumes/v1',
    'all: volumes/v2 volumes/v1 leader',
  ]);
  expect(hearing('nodes/n')).toEqual(['all: nodes/n', 'nodes: nodes/n']);
});

it('hands nothing to who has ended, however often it says so, and goes on with the others', () => {
  const { listen, hearing } = createListeners();
  const end = listen('one', 'a');
  listen('other', 'a');
  const endAlone = listen('alone', 'ab');
  end();
  end();
  endAlone();
  expect(hearing('ab')).toEqual(['other: ab']);
  // Whoever comes to a prefix that nobody had any more comes last.
  listen('later', 'ab');
  endAlone();
  expect(hearing('ab')).toEqual(['other: ab', 'later: ab']);
});
