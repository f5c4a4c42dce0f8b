import { describe, expect, it } from '@jest/globals';
import { CHECK_NAMES } from '../../../../src/rig/checks/catalogue.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { reportHtml } from '../../../../src/rig/report/html.ts';
import { createHistory } from '../support/history.ts';
import { outageRun } from '../support/runs.ts';

const page = (run: RecordedRun): string =>
  reportHtml({
    run,
    result: {
      scenario: run.scenario,
      seed: 1,
      folder: 'runs/1',
      elapsedMs: 1000,
      ...judge(run, CHECK_NAMES),
    },
  });

const HOSTILE = `</script><script>alert(1)</script><!-- "'&`;

describe('reportHtml', () => {
  it('says the verdict and the counter-example before anything else', () => {
    const text = page(
      outageRun().history.expectation({ outcome: 'missed', what: 'it leads', seen: 'nobody' }).run(),
    );
    const positions = [
      'test is <span class="verdict">invalid',
      'last seen: nobody',
      '<svg',
      '<h2>Checks',
    ].map((part) => text.indexOf(part));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  it('fetches nothing', () => {
    const text = page(outageRun().history.run());
    expect(text).not.toMatch(/(src|href)=|@import|url\(|https?:/);
  });

  it('lets nothing that was recorded become markup', () => {
    const { history } = outageRun();
    history.log('node1', 'info', HOSTILE, { x: HOSTILE }).put('/cobalt/v1/x', HOSTILE);
    history.expectation({ outcome: 'missed', what: HOSTILE, seen: HOSTILE });
    history.io({ kind: 'nfs-read', consumer: HOSTILE, file: HOSTILE, outcome: 'fail' });
    const text = page(history.fault('kill', HOSTILE).run({ scenario: HOSTILE }));
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text.match(/<\/script>/g)).toHaveLength(2);
    expect(text).not.toContain('<!--');
  });

  it('embeds the record as JSON that reads back', () => {
    const { history } = outageRun();
    const run = history.put('/cobalt/v1/x', HOSTILE).run();
    const [, json = ''] = /id="record">(.*?)<\/script>/s.exec(page(run)) ?? [];
    expect(JSON.parse(json)).toEqual({ etcd: run.etcd, logs: run.logs });
  });

  it('shows a run that was interrupted before anything happened', () => {
    expect(page(createHistory().run())).toContain('is <span class="verdict">unknown');
  });

  it('draws every lane of the run', () => {
    const text = page(outageRun().history.run());
    for (const label of ['fault etcd', 'leader', 'volume a', 'client', 'consumer1', 'consumer2']) {
      expect(text).toContain(`>${label}</text>`);
    }
    expect(text).toContain('node2 leads, term 16');
  });
});
