import { describe, expect, it } from '@jest/globals';
import { nfsCalls } from '../../../../src/rig/checks/calls.ts';
import { createHistory } from '../support/history.ts';

describe('a call through an open file', () => {
  it('was made at the node where the file is open, wherever the volume was thought to be', () => {
    const read = { kind: 'nfs-read', consumer: 'consumer1', server: 'node1' } as const;
    const run = createHistory()
      .io({ ...read, openAt: 'node2' })
      .io({ ...read, openAt: 'node2', outcome: 'fail' })
      .io(read)
      .run();
    expect(nfsCalls(run).map(({ operation }) => operation.server)).toEqual(['node2', 'node2', 'node1']);
  });
});
