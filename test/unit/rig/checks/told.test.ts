import { describe, expect, it } from '@jest/globals';
import { nodeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { told } from '../../../../src/rig/checks/told.ts';
import { by, CONSUMERS, type HistoryBuilder, VOLUME_ID } from '../support/history.ts';
import { drainedRun } from '../support/moves.ts';

const host = CONSUMERS.consumer1;
const asked = (action: string, server: string | null = 'node1', clientHost: string = host) => ({
  kind: 'export',
  volume: VOLUME_ID,
  mount: server === null ? null : { server, path: '/x', options: '' },
  clients: [{ host: clientHost, action, access: 'rw', squash: 'none' }],
});
const ended = (history: HistoryBuilder) => history.at(60_000).follow('end', 'consumer1').run();
/** It is on node1 by now, and nothing more happens to it. */
const heard = (data: ReturnType<typeof asked>): string =>
  told(ended(drainedRun().history.at(20_000).registers('node2', '12').told('consumer1', data))).verdict;

describe('told', () => {
  it('rejects what sends a consumer away, or makes it mount anew, for nothing', () => {
    expect(heard(asked('unmount', null))).toBe('invalid');
    expect(heard(asked('remount'))).toBe('invalid');
  });

  it('accepts to mount what may be mounted, where it is, and rejects it elsewhere', () => {
    expect(heard(asked('mount'))).toBe('valid');
    expect(heard(asked('mount', 'node1', '10.0.0.0/24'))).toBe('valid');
    expect(heard(asked('mount', 'node2'))).toBe('invalid');
  });

  describe('when the node of a volume is registered again', () => {
    const away = (during: (run: ReturnType<typeof drainedRun>) => void, data?: ReturnType<typeof asked>) => {
      const run = drainedRun();
      run.history.at(20_000).remove(nodeKey('node1'));
      during(run);
      run.history.at(30_000).registers('node1', '31');
      if (data !== undefined) run.history.told('consumer1', data);
      return told(ended(run.history)).verdict;
    };
    const nothing = () => undefined;
    const narrowed = ({ history, volume }: ReturnType<typeof drainedRun>): void => {
      const rules = [{ host, access: 'ro', squash: 'none' } as const];
      const wanted = history.at(22_000).write(change.reexported(volume, rules, by('api', 'node2')));
      history.at(22_100).write(change.exported(wanted, by('agent', 'node1')));
    };

    it('accepts both to mount and to remount, and rejects silence and unmount', () => {
      expect([away(nothing, asked('mount')), away(nothing, asked('remount'))]).toEqual(['valid', 'valid']);
      expect([away(nothing), away(nothing, asked('unmount', null))]).toEqual(['invalid', 'invalid']);
    });

    it('wants a remount where the permission has changed meanwhile', () => {
      expect(away(narrowed, asked('remount'))).toBe('valid');
      expect(away(narrowed, asked('mount'))).toBe('invalid');
    });
  });

  it('asks nothing of a stream that was lost and never came back, or behind a fault', () => {
    const revoked = (disturb: (history: HistoryBuilder) => void): string => {
      const { history, volume } = drainedRun();
      disturb(history);
      const wanted = history.at(30_000).write(change.reexported(volume, [], by('api', 'node2')));
      history.at(30_100).write(change.exported(wanted, by('agent', 'node1')));
      return told(ended(history)).verdict;
    };
    expect(revoked(() => undefined)).toBe('invalid');
    expect(revoked((history) => history.at(25_000).follow('lost', 'consumer1'))).toBe('valid');
    const paused = (fromMs: number) => (history: HistoryBuilder) =>
      history
        .at(fromMs)
        .fault('pause', 'node1')
        .at(fromMs + 1_000)
        .fault('resume', 'node1');
    expect(revoked(paused(25_000))).toBe('invalid');
    expect(revoked((history) => history.at(25_000).fault('pause', 'node1'))).toBe('valid');
  });
});
