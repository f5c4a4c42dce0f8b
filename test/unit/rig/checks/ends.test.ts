import { describe, expect, it } from '@jest/globals';
import { specKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { ends } from '../../../../src/rig/checks/ends.ts';
import type { FaultSpec } from '../../../../src/rig/faults/spec.ts';
import type { NemesisEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory, VOLUME_ID } from '../support/history.ts';
import { calmRun, ORDER, withEtcd } from '../support/runs.ts';

const calm = calmRun().history.run();

/** A volume that is granted a resize at 5 s and is not heard of until `nextMs`. */
function granted(nextMs?: number) {
  const history = createHistory();
  const ready = change.completed(
    { ...change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')), node: 'node2' },
    by('agent', 'node2'),
  );
  history.at(100).write(ready);
  const larger = { reserved_size: 2, constraints: {} };
  const pending = history.at(4_900).write(change.requested(ready, larger, by('api', 'node1')));
  const resizing = history.at(5_000).write(change.granted(pending, by('engine', 'node1', 2)));
  if (nextMs !== undefined) history.at(nextMs).write(change.completed(resizing, by('agent', 'node2')));
  return { history, resizing };
}

describe('ends', () => {
  it('accepts a volume that gets what was asked for', () => {
    expect(ends(calm)).toMatchObject({ verdict: 'valid' });
  });

  it('rejects a volume that is stuck in silence to the end', () => {
    const { history } = granted();
    const found = ends(history.at(30_000).finalState().run());
    expect(found).toMatchObject({
      verdict: 'invalid',
      reason: `volume ${VOLUME_ID} stayed resizing, and gave no reason in control.error`,
    });
    expect(found.counterExample).toContain('the run ended so');
  });

  it('rejects a volume that gets on much too late', () => {
    expect(ends(granted(30_000).history.finalState().run())).toMatchObject({ verdict: 'invalid' });
  });

  it('rejects exports that nobody applies', () => {
    const isApplied = (value: string | undefined) => value?.includes('"role":"agent"') === true;
    let applied = 0;
    const run = withEtcd(calm, (event) => {
      if (event.key.endsWith(VOLUME_ID) && isApplied(event.value)) applied += 1;
      return applied >= 2 && event.key.endsWith(VOLUME_ID) ? undefined : event;
    });
    const late: RecordedRun = {
      ...run,
      history: [...run.history, { type: 'expectation', atMs: 60_000, what: '', outcome: 'met', seen: '' }],
    };
    expect(ends(late)).toMatchObject({ verdict: 'invalid', reason: expect.stringMatching(/stayed ready/) });
  });

  it('rejects an answer of 202 to a change of a node that was never stored, or otherwise', () => {
    const drained = (stored: boolean, of = 0) => {
      const history = calmRun().history.at(14_500);
      const spec = { volume_path: '/srv', capacity: 8, labels: {}, draining: stored };
      const revision = history.put(specKey('node1'), spec).revision() + of;
      const put = { kind: 'http', node: 'node1', method: 'PUT', path: '/nodes/node1' } as const;
      const operation = { ...put, body: { draining: true } };
      const event = { type: 'call', call: 99, process: 'client', operation } as const;
      history.record({ ...event, atMs: 14_400, phase: 'invoke' });
      history.record({ ...event, atMs: 14_600, phase: 'ok', status: 202, etag: `"${revision}-1.2.3"` });
      return ends(history.run());
    };
    expect(drained(true).verdict).toBe('valid');
    const never = 'a change of node node1 was accepted, and never stored as the client asked for it';
    expect([drained(false), drained(true, 1)]).toMatchObject([{ reason: never }, { reason: never }]);
  });

  it('rejects an answer of 202 that was never stored', () => {
    const { history } = granted(5_100);
    const never = change.newVolume('v00000000000000c3', ORDER, by('api', 'node1'));
    history.at(6_000).http(202, {}, never);
    expect(ends(history.at(7_000).finalState().run())).toMatchObject({
      verdict: 'invalid',
      reason: 'volume v00000000000000c3 was accepted, and never stored as the answer says',
    });
  });

  it('accepts a reason in place of an end', () => {
    const { history, resizing } = granted();
    history.at(5_500).write(change.failed(resizing, 'it is full', by('agent', 'node2')));
    expect(ends(history.at(60_000).finalState().run())).toMatchObject({ verdict: 'valid' });
  });

  it('does not count the time of an outage, nor of a fault that is healed', () => {
    const outage = granted(30_000)
      .history.at(6_000)
      .fault('kill', 'node2')
      .at(29_000)
      .fault('start', 'node2');
    expect(ends(outage.at(31_000).finalState().run())).toMatchObject({ verdict: 'valid' });
    const phases = ['inject', 'healed'] as const;
    const { history } = granted(30_000);
    for (const phase of phases) {
      const fault = {} as FaultSpec;
      const atMs = phase === 'inject' ? 6_000 : 29_000;
      history.record({ type: 'nemesis', id: 'cut', fault, members: [], atMs, phase } satisfies NemesisEvent);
    }
    expect(ends(history.at(31_000).finalState().run())).toMatchObject({ verdict: 'valid' });
  });

  it('is not silenced by a node that is away and has nothing to do with it', () => {
    const silent = (gone: string, role?: string) =>
      ends(granted(80_000).history.at(2_000).fault('kill', gone, role).at(81_000).finalState().run()).verdict;
    expect([silent('node1'), silent('node2')]).toEqual(['invalid', 'valid']);
  });

  it('leaves a new leader the time to be elected', () => {
    const silent = (nextMs: number) =>
      ends(granted(nextMs).history.at(6_000).fault('kill', 'node1').at(81_000).finalState().run()).verdict;
    expect([silent(24_000), silent(40_000)]).toEqual(['valid', 'invalid']);
  });

  it('knows nothing when too little was seen', () => {
    expect(ends(granted().history.at(7_000).finalState().run())).toMatchObject({ verdict: 'unknown' });
    expect(ends(createHistory().run())).toMatchObject({ verdict: 'unknown' });
    expect(ends({ ...calm, etcdComplete: false })).toMatchObject({ verdict: 'unknown' });
  });
});
