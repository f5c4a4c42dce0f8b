import { describe, expect, it } from '@jest/globals';
import { minimumTraffic } from '../../../../src/rig/checks/minimum-traffic.ts';
import type { NemesisEvent } from '../../../../src/rig/history.ts';
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

  it('does not accept a workload of which too little succeeded', () => {
    const workload = {
      clients: 1,
      ratePerSecond: 10,
      mix: { list: 1 },
      volumes: { most: 1, sizesGib: [1] },
      fileBytes: [1],
      conditionalPercent: 0,
      constrainedPercent: 10,
      leastPercent: 50,
    };
    const worked = (calls: number) => {
      const history = createHistory();
      history.at(0).record({ type: 'workload', atMs: 0, phase: 'begin', name: 'work', workload });
      for (let call = 1; call <= calls; call += 1) {
        const operation = { kind: 'http', node: 'node1', method: 'GET', path: '/volumes' } as const;
        const event = { type: 'call', atMs: call, call, process: 'work 1', operation } as const;
        history.record({ ...event, phase: 'invoke' });
        history.record({ ...event, phase: 'ok', status: 200 });
      }
      history.record({ type: 'workload', atMs: 1_000, phase: 'end', name: 'work', workload });
      return minimumTraffic(history.run());
    };
    expect(worked(5).verdict).toBe('valid');
    expect(worked(4)).toMatchObject({
      verdict: 'unknown',
      reason: '4 calls of the workload work succeeded, at least 5 must',
    });
  });

  it('does not accept a run with faults of which none was seen to bite', () => {
    const withPhases = (...phases: readonly (readonly [string, NemesisEvent['phase']])[]) => {
      const history = createHistory().http(202);
      for (const [id, phase] of phases) {
        const fault = { fault: 'clock-jump', on: 'node1', spanMs: 1_000 } as const;
        history.record({ type: 'nemesis', atMs: 10, id, phase, fault, members: [] });
      }
      return minimumTraffic(history.run());
    };
    expect(withPhases(['a', 'unavailable'], ['b', 'inject'], ['b', 'heal'])).toMatchObject({
      verdict: 'unknown',
      reason: 'of 2 faults none was seen to bite',
    });
    expect(withPhases(['a', 'unavailable'], ['b', 'inject'], ['b', 'shown']).verdict).toBe('valid');
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
