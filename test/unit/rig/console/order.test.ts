// What the page sends, and the forms that it makes it from.

import { describe, expect, it } from '@jest/globals';
import { faultForms } from '../../../../src/rig/console/fault-form.ts';
import { describeOrder, parseOrder } from '../../../../src/rig/console/order.ts';
import { FAULT_NAMES } from '../../../../src/rig/faults/spec-schema.ts';

describe('an order', () => {
  it('is what the commands by hand take', () => {
    expect(parseOrder({ do: 'kill', to: ['leader/engine'] })).toEqual({ do: 'kill', to: ['leader/engine'] });
    const latency = parseOrder({ do: 'fault', fault: 'latency', fields: { on: 'leader', delayMs: '300' } });
    expect(latency).toEqual({
      ...{ do: 'fault', spec: { fault: 'latency', on: 'leader', delayMs: 300, jitterMs: 50 } },
    });
    expect(describeOrder(latency)).toBe('latency of 300 ms ± 50 ms at leader');
    expect(describeOrder(parseOrder({ do: 'heal', ids: [] }))).toBe('heal everything');
    const passing = parseOrder({
      do: 'fault',
      fault: 'loss',
      fields: { on: 'one', percent: '7' },
      forSeconds: 30,
    });
    expect(passing).toMatchObject({ do: 'fault', forSeconds: 30 });
    expect(describeOrder(passing)).toMatch(/, for 30 s$/);
  });

  it.each([
    [undefined, /none/],
    [{ do: 'rm', to: ['/'] }, /none/],
    [{ do: 'kill', to: [] }, /'to'/],
    [{ do: 'kill', to: ['a'], extra: 1 }, /'extra'/],
    [{ do: 'fault', fault: 'flood', fields: {} }, /no fault 'flood'/],
    [{ do: 'fault', fault: 'loss', fields: {}, forSeconds: 0.5 }, /'forSeconds'/],
    [{ do: 'heal', ids: [], onlyOf: '1a2b3c4d' }, /'onlyOf'/],
    [{ do: 'fault', fault: 'loss', fields: { on: 'one', percent: '900' } }, /'percent'/],
    [{ do: 'fault', fault: 'loss', fields: { 'on=x percent': '1' } }, /fields/],
  ])('is refused: %j', (input, why) => {
    expect(() => parseOrder(input)).toThrow(why);
  });
});

describe('the forms of faults', () => {
  it('are there for every fault, and what stands in them at first is an order', async () => {
    const forms = await faultForms();
    expect(forms.map(({ fault }) => fault)).toEqual(FAULT_NAMES);
    for (const { fault, fields, example } of forms) {
      const given = fields.filter(({ value }) => value !== '').map(({ name, value }) => [name, value]);
      const order = parseOrder({ do: 'fault', fault, fields: Object.fromEntries(given) });
      expect(describeOrder(order)).toBe(example);
    }
  });

  it('know bounds, choices, and what may be left out', async () => {
    const fieldsOf = async (name: string) => (await faultForms()).find(({ fault }) => fault === name)?.fields;
    expect(await fieldsOf('loss')).toMatchObject([
      { name: 'on', kind: 'whom', isOptional: false },
      { name: 'percent', kind: 'number', least: 1, most: 100 },
    ]);
    expect(await fieldsOf('kill')).toMatchObject([
      {},
      { name: 'role', kind: 'choice', isOptional: true, choices: ['api', 'engine', 'agent'] },
    ]);
  });
});
