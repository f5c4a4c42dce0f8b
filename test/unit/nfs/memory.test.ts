import { describe, expect, it } from '@jest/globals';
import type { ExportRule } from '../../../src/model/export.ts';
import { createMemoryExporter, createMemoryNfsServer } from '../../../src/nfs/memory.ts';

const wanted: { readonly id: string; readonly rules: readonly ExportRule[] } = {
  id: 'v00000000000000ab',
  rules: [{ host: '10.0.0.1', access: 'rw', squash: 'none' }],
};

describe('the memory exporter', () => {
  it('finds the exports of the last incarnation, for as long as the server lives', async () => {
    const server = createMemoryNfsServer();
    await createMemoryExporter({ server }).apply(wanted);
    expect(await createMemoryExporter({ server }).list()).toEqual([wanted]);
  });

  it('fails on demand, once for each demand, and without an effect', async () => {
    const exporter = createMemoryExporter();
    exporter.failNext('apply');
    await expect(exporter.apply(wanted)).rejects.toMatchObject({ code: 'io' });
    expect(await exporter.list()).toEqual([]);
    await exporter.apply(wanted);
    expect(await exporter.list()).toEqual([wanted]);
  });
});
