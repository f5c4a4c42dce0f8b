import { describe, expect, it } from '@jest/globals';
import { parseStored } from '../../../src/model/parse.ts';
import { readInParts, UNREAD } from '../../../src/model/reader.ts';
import { subscriptionSchema } from '../../../src/model/subscription.ts';
import { volumeSchema } from '../../../src/model/volume.ts';
import { calmRun } from '../rig/support/runs.ts';

const values = calmRun()
  .history.run()
  .etcd.filter(({ key, value }) => key.includes('/volumes/') && value !== undefined)
  .map(({ key, value = '' }) => ({ key, value }));
const [good = { key: '', value: '' }] = values;

describe('a stored value that is read in parts', () => {
  it('is what the schema makes of it, first and again', () => {
    expect(values.length).toBeGreaterThan(3);
    for (const { value } of [...values, ...values]) {
      const json: unknown = JSON.parse(value);
      // Its fields in the same order, too: some compare volumes as text.
      expect(JSON.stringify(readInParts(volumeSchema, json))).toBe(JSON.stringify(volumeSchema.parse(json)));
    }
  });

  it('has each part looked at once', () => {
    const [one, other] = [1, 2].map((error_count) => {
      const volume = JSON.parse(good.value) as { control: object };
      Object.assign(volume.control, { error_count });
      return readInParts(volumeSchema, volume) as { exports: unknown; control: object };
    });
    expect(other?.exports).toBe(one?.exports);
    expect(other?.control).toEqual({ ...one?.control, error_count: 2 });
  });

  it.each<[string, (volume: Record<string, unknown>) => void]>([
    [
      'lacks what there is a default for',
      (volume) => delete (volume.control as Record<string, unknown>).task,
    ],
    ['lacks a field', (volume) => delete volume.name],
    ['has one more', (volume) => Object.assign(volume, { more: 1 })],
    ['has one more within', (volume) => Object.assign(volume.control as object, { more: 1 })],
    ["has one in another's place", (volume) => Object.assign(volume, { name: undefined, toString: 1 })],
    ['has a wrong field', (volume) => Object.assign(volume, { state: 'elsewhere' })],
    ['has none of an object', (volume) => Object.assign(volume, { control: null })],
  ])('that %s is left to the schema as a whole', (_what, edit) => {
    const volume = JSON.parse(good.value) as Record<string, unknown>;
    edit(volume);
    const json: unknown = JSON.parse(JSON.stringify(volume));
    expect(readInParts(volumeSchema, json)).toBe(UNREAD);
    const stored = { key: good.key, value: JSON.stringify(volume) };
    const { success, data } = volumeSchema.safeParse(json);
    if (success) expect(parseStored(volumeSchema, stored)).toEqual(data);
    else
      expect(() => parseStored(volumeSchema, stored)).toThrow(`the value of ${good.key} is malformed at '`);
  });

  it('is none that holds a secret', () => {
    const subscription = {
      id: `s${'0'.repeat(16)}`,
      url: 'http://callback.test/',
      volumes: null,
      created: '2026-01-01T00:00:00Z',
      delivered: 0,
      dropped: 0,
      failing_since: null,
      last_error: null,
      secret: 'x'.repeat(16),
    };
    expect(subscriptionSchema.parse(subscription)).toEqual(subscription);
    expect(readInParts(subscriptionSchema, subscription)).toBe(UNREAD);
  });
});
