import { describe, expect, it } from '@jest/globals';
import { parseStored } from '../../../../src/model/parse.ts';
import { volumeSchema } from '../../../../src/model/volume.ts';
import { createReader } from '../../../../src/rig/checks/parsed.ts';
import { calmRun } from '../support/runs.ts';

const stored = calmRun()
  .history.run()
  .etcd.filter(({ key }) => key.includes('/volumes/'));
const values = stored.map(({ key, value = '' }) => ({ key, value }));
const outcome = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    return String(error);
  }
};

describe('createReader', () => {
  const read = createReader(volumeSchema, { inParts: ['control'] });

  it('reads as the schema does, first and again', () => {
    expect(values.length).toBeGreaterThan(3);
    for (const value of [...values, ...values]) expect(read(value)).toEqual(parseStored(volumeSchema, value));
  });

  it('fills in defaults, and refuses what the schema refuses, in its words', () => {
    const [good = { key: '', value: '' }] = values;
    const edits: readonly ((volume: Record<string, unknown>) => void)[] = [
      (volume) => delete (volume.control as Record<string, unknown>).task,
      (volume) => delete volume.name,
      (volume) => Object.assign(volume, { more: 1 }),
      (volume) => Object.assign(volume.control as object, { more: 1 }),
      (volume) => Object.assign(volume, { state: 'elsewhere' }),
      (volume) => Object.assign(volume, { control: null }),
    ];
    for (const edit of edits) {
      const volume = JSON.parse(good.value) as Record<string, unknown>;
      edit(volume);
      const value = { key: good.key, value: JSON.stringify(volume) };
      expect(outcome(() => read(value))).toEqual(outcome(() => parseStored(volumeSchema, value)));
    }
    const cut = { ...good, value: good.value.slice(1) };
    expect(outcome(() => read(cut))).toEqual(outcome(() => parseStored(volumeSchema, cut)));
  });
});
