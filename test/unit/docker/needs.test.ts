import { describe, expect, it } from '@jest/globals';
import { RigError } from '../../../src/base/errors.ts';
import { examine, NEEDS, type Need, requireSpace } from '../../../src/rig/docker/needs.ts';

const machine = { engine: { host: 'unix:///nowhere/docker.sock' }, root: process.cwd() };
const need: Need = {
  id: 'x',
  title: 'X',
  required: true,
  withoutIt: 'no X',
  next: 'get X',
  probe: async () => 'X 1.0',
};

describe('examine', () => {
  it('reports what is there and what is not, and throws for neither', async () => {
    const absent = {
      ...need,
      probe: async () => {
        throw new RigError('machine', 'no X here');
      },
    };
    expect(await examine(machine, [need, absent])).toEqual([
      { id: 'x', title: 'X', required: true, withoutIt: 'no X', next: 'get X', found: true, detail: 'X 1.0' },
      {
        id: 'x',
        title: 'X',
        required: true,
        withoutIt: 'no X',
        next: 'get X',
        found: false,
        detail: 'no X here',
      },
    ]);
  });

  it('says that the engine is missing, not that everything that needs it failed strangely', async () => {
    const findings = await examine(machine);
    expect(findings.map(({ id }) => id)).toEqual(NEEDS.map(({ id }) => id));
    for (const id of ['engine', 'images', 'disk']) {
      expect(findings.find((finding) => finding.id === id)).toMatchObject({
        found: false,
        detail: expect.stringContaining('no Docker Engine answers at unix:///nowhere/docker.sock'),
      });
    }
  });
});

describe('the disk space for Docker', () => {
  it("is not missing where the engine's filesystem is not this container's", async () => {
    expect(await requireSpace('/nowhere/docker')).toContain('not looked into');
  });

  it('is told where it can be seen', async () => {
    await expect(requireSpace('/proc')).rejects.toThrow('0.0 GiB free in /proc');
  });
});
