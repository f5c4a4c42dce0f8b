import { describe, expect, it } from '@jest/globals';
import { minimumTraffic } from '../../../../src/rig/checks/minimum-traffic.ts';
import { createHistory } from '../support/history.ts';
import { calmRun } from '../support/runs.ts';

describe('minimum-traffic', () => {
  it('accepts a run in which clients got something done', () => {
    expect(minimumTraffic(calmRun().history.run()).verdict).toBe('valid');
    expect(minimumTraffic(createHistory().http(202).run()).verdict).toBe('valid');
  });

  it('does not accept a run in which no API call succeeded', () => {
    expect(minimumTraffic(createHistory().run()).verdict).toBe('unknown');
    expect(minimumTraffic(createHistory().http(503).http(undefined).http(404).run()).verdict).toBe('unknown');
  });

  it('does not accept a run whose clients were let down by NFS', () => {
    const history = createHistory().http(202).io({ kind: 'nfs-write', consumer: 'consumer1' });
    expect(
      minimumTraffic(history.io({ kind: 'nfs-read', consumer: 'consumer1', outcome: 'info' }).run()),
    ).toMatchObject({
      verdict: 'unknown',
      reason: '1 of 2 NFS calls succeeded, at least 2 must',
    });
  });
});
