import { describe, expect, it } from '@jest/globals';
import * as change from '../../../../src/model/changes.ts';
import { linearizable } from '../../../../src/rig/checks/linearizable.ts';
import type { CallEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory, VOLUME_ID } from '../support/history.ts';

const ORDER = { name: 'a', meta: {}, requested: { reserved_size: 1, constraints: {} }, exports: [] };
const RULES = [{ host: '10.0.0.9', access: 'rw' as const, squash: 'none' as const }];

/** A client reads a volume, its agent changes it, and the client changes it on condition of what is given. */
function runWith(ifMatch: (seen: number, now: number) => string): RecordedRun {
  const history = createHistory();
  const ordered = history.write(change.newVolume(VOLUME_ID, ORDER, by('api', 'node1')));
  const seen = history.revision();
  const ready = history.write(change.completed({ ...ordered, node: 'node1' }, by('agent', 'node1')));
  const condition = ifMatch(seen, history.revision());
  const shared = history.write(change.reexported(ready, RULES, by('api', 'node1')));
  const written = history.revision();
  const path = `/volumes/${VOLUME_ID}`;
  const answer = (call: number, operation: CallEvent['operation'], rest: Partial<CallEvent>): void => {
    const event = { type: 'call', call, process: 'client', operation } as const;
    history.record({ ...event, atMs: 10 * call, phase: 'invoke' });
    history.record({ ...event, atMs: 10 * call + 5, phase: 'ok', ...rest });
  };
  const http = { kind: 'http', node: 'node1' } as const;
  answer(
    1,
    { ...http, method: 'POST', path: '/volumes', body: ORDER },
    { status: 202, body: ordered, etag: `"${seen}"` },
  );
  answer(
    2,
    { ...http, method: 'PUT', path: `${path}/exports`, body: { exports: RULES }, ifMatch: condition },
    { status: 202, body: shared, etag: `"${written}-0a1b"` },
  );
  return history.run();
}

describe('linearizable, of changes on a condition', () => {
  it.each([
    ['the revision that the change took the place of', (_seen: number, now: number) => `"${now}"`],
    ['several, one of which it was', (seen: number, now: number) => `"${seen}", "${now}-0a"`],
    ['whatever there is', () => '*'],
  ])('accepts a change on condition of %s', (_what, ifMatch) => {
    expect(linearizable(runWith(ifMatch))).toMatchObject({ verdict: 'valid' });
  });

  it('rejects that nothing had to be changed, at another revision than the client had seen', () => {
    const same = (at: string) => {
      const run = runWith((_seen, now) => `"${now}"`);
      const put = {
        kind: 'http',
        node: 'node1',
        method: 'PUT',
        path: `/volumes/${VOLUME_ID}/exports`,
      } as const;
      const operation = { ...put, body: { exports: RULES }, ifMatch: at };
      const event = { type: 'call', call: 3, process: 'client', operation } as const;
      const answer = { status: 304, body: '', etag: '"4-0a1b"' };
      const call = [
        { ...event, atMs: 30, phase: 'invoke' },
        { ...event, atMs: 35, phase: 'ok', ...answer },
      ] as const;
      return linearizable({ ...run, history: [...run.history, ...call] });
    };
    expect(same('"4"').verdict).toBe('valid');
    expect(same('"3"')).toMatchObject({
      verdict: 'invalid',
      counterExample: [expect.stringContaining('if it is at "3"'), 'the answer is 304, of revision 4'],
    });
  });

  it('says nothing of what etcd had where part of its history is missing', () => {
    const run = runWith((_seen, now) => `"${now}"`);
    const etcd = run.etcd.filter(({ revision }) => revision !== 3);
    expect(linearizable({ ...run, etcd, etcdComplete: false }).verdict).not.toBe('invalid');
  });

  it('rejects one that was accepted although the agent had changed the volume since it was read', () => {
    expect(linearizable(runWith((seen) => `"${seen}"`))).toMatchObject({
      verdict: 'invalid',
      reason: `volume ${VOLUME_ID} was changed on a condition that it didn't fulfil`,
      counterExample: [
        expect.stringContaining('if it is at "2"'),
        'revision 4 of etcd took the place of revision 3',
      ],
    });
  });
});
