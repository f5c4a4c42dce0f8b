import { expect, it } from '@jest/globals';
import { waitsFor } from '../../../src/cli/mount.ts';

it('of a mount says whom whatever uses it waits for', () => {
  const members = [
    { name: 'node1', state: 'running' },
    { name: 'node2', state: 'exited' },
  ] as const;
  const told = (server: string | null) => waitsFor({ members }, { at: '/mnt/first', server });
  expect(told('node1')).toBeUndefined();
  // It was told to unmount it: nobody uses it there.
  expect(told(null)).toBeUndefined();
  expect(told('node2')?.replaceAll(/\s+/g, ' ')).toMatch(/^node2 is exited: what uses \/mnt\/first waits/);
  expect(told('node3')).toMatch(/^node3 is absent/);
});
