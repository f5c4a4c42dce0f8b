import { describe, expect, it } from '@jest/globals';
import { CHECK_NAMES } from '../../../../src/rig/checks/catalogue.ts';
import { judge } from '../../../../src/rig/checks/judge.ts';
import type { RecordedRun } from '../../../../src/rig/history.ts';
import { reportHtml } from '../../../../src/rig/report/html.ts';
import type { PageData } from '../../../../src/rig/report/page-data.ts';
import { createHistory } from '../support/history.ts';
import { outageRun } from '../support/runs.ts';

const page = (run: RecordedRun, judged = judge(run, CHECK_NAMES)): string =>
  reportHtml({
    run,
    assets: { scripts: [{ text: 'run()', sha256: 'abc=' }], styles: '' },
    result: {
      scenario: run.scenario,
      seed: 1,
      folder: 'runs/1',
      elapsedMs: 1000,
      ...judged,
    },
  });

const HOSTILE = `</script><script>alert(1)</script><!-- "'&`;

/** What the page embeds. */
const record = (text: string): PageData =>
  JSON.parse(/id="record">(.*?)<\/script>/s.exec(text)?.[1] ?? '') as PageData;

describe('reportHtml', () => {
  it('shows when the machine was slow, in a lane of its own, if it ever was', () => {
    const laneOf = (run: RecordedRun) => {
      const { lanes, strings } = record(page(run));
      const lane = lanes.find(({ group }) => group === 'machine');
      return lane?.bars.map(([fromMs, toMs, style]) => [fromMs, toMs, strings[style]]);
    };
    expect(laneOf(outageRun().history.run())).toBeUndefined();
    const { history } = outageRun();
    for (const [atMs, runnable] of [
      [1_000, 1],
      [2_000, 5],
      [3_000, 6],
      [4_000, 40],
    ] as const)
      history.at(atMs).machine(1_000, { runnable });
    history.at(5_000).machine(1_000, { lateMs: 950 });
    expect(laneOf(history.run())).toEqual([
      [1_000, 3_000, 'busy'],
      [3_000, 5_000, 'starved'],
    ]);
  });

  it('calls late in the table what the checks call so', () => {
    const pillOf = (runnable: number) => {
      const history = createHistory().at(9_000).machine(9_000, { runnable });
      const text = page(history.expectation({ boundMs: 1_000, measuredMs: 3_000 }).run());
      return /class="pill">(\w+)/.exec(text.slice(text.indexOf('What must hold')))?.[1];
    };
    expect([pillOf(2), pillOf(8)]).toEqual(['late', 'met']);
  });

  it('says the verdict, what is wrong and the counter-example before anything else', () => {
    const text = page(
      outageRun().history.expectation({ outcome: 'missed', what: 'it leads', seen: 'nobody' }).run(),
    );
    const positions = [
      '<span class="verdict">invalid</span> test',
      '1 expectation missed: it leads',
      'last seen: nobody',
      'Faults of the run',
      '<canvas',
      'id="latency"',
      '<h2>Checks',
    ].map((part) => text.indexOf(part));
    expect(positions).not.toContain(-1);
    expect(positions).toEqual(positions.toSorted((a, b) => a - b));
  });

  it('leads from a time of the counter-example into the time line, and names the faults of then', () => {
    const { history } = outageRun();
    history.at(20_000).expectation({ outcome: 'missed', what: 'x', boundMs: 1_000, measuredMs: 1_500 });
    const text = page(history.run());
    expect(text).toContain('<a href="#t=18500-20000" title="Show it in the time line">+20.000 s</a>');
    expect(text).toMatch(
      /Faults then: <a href="#t=17000-22050">etcd down<\/a> \(\+17\.000 s to \+22\.050 s\)/,
    );
  });

  it('says that no fault was active when none was', () => {
    const { history } = outageRun();
    history.at(5_000).expectation({ outcome: 'missed', what: 'x', boundMs: 1_000, measuredMs: 1_500 });
    expect(page(history.run())).toContain('Faults then: none.');
  });

  it('may run its own scripts only, and fetch nothing', () => {
    const text = page(outageRun().history.run());
    expect(text).toContain("default-src 'none'; script-src 'sha256-abc='; ");
    expect(text).not.toMatch(/src=|href="[^#]|@import|url\(|https?:/);
  });

  it('lets nothing that was recorded become markup', () => {
    const { history } = outageRun();
    history.log('node1', 'info', HOSTILE, { x: HOSTILE }).put('/cobalt/v1/x', HOSTILE);
    history.put('/cobalt/v1/volumes/v1', HOSTILE).log(HOSTILE, 'error', HOSTILE);
    history.expectation({ outcome: 'missed', what: HOSTILE, seen: HOSTILE });
    history.io({ kind: 'nfs-read', consumer: HOSTILE, file: HOSTILE, outcome: 'fail' });
    const text = page(history.fault('kill', HOSTILE).run({ scenario: HOSTILE }));
    expect(text.match(/<script/g)).toHaveLength(2);
    expect(text.match(/<\/script>/g)).toHaveLength(2);
    expect(text).not.toContain('<!--');
    expect(record(text).strings).toContain(HOSTILE);
  });

  it('shows a run that was interrupted as one, up to where its record ends', () => {
    const interrupted = 'Somebody stopped it.';
    const text = page(createHistory().at(3_000).fault('kill', 'node1').run({ interrupted }));
    expect(text).toContain('<title>interrupted: test</title>');
    expect(text).toContain('<span class="verdict">interrupted</span>');
    expect(text).toContain('Somebody stopped it. The record ends at +3.050 s, so there is no verdict.');
    // That half a run was not enough to judge is no news.
    expect(text.slice(0, text.indexOf('</header>'))).not.toContain('>unknown<');
    expect(page(outageRun().history.run())).not.toContain('>interrupted<');
  });

  it('has a lane for each fault, node, role, client and volume', () => {
    const { lanes, strings } = record(page(outageRun().history.run()));
    const labels = ['fault etcd', 'node1', 'node1 api', 'node1 engine', 'node1 agent', 'node2', 'client'];
    expect(lanes.map(({ label }) => label)).toEqual(
      expect.arrayContaining([...labels, 'consumer1', 'consumer2', 'traffic', 'volume a']),
    );
    const engine = lanes.find(({ label }) => label === 'node2 engine');
    expect(engine?.bars.map(([, , , text]) => strings[text])).toEqual(['leads, term 16']);
  });

  it('puts the volumes that a finding names before those that it does not', () => {
    const { history, volume } = outageRun();
    const other = 'v00000000000000c3';
    history.at(26_000).write({ ...volume, id: other, name: 'late' });
    const verdicts = [{ check: 'x', verdict: 'invalid', reason: `${other} is there` }] as const;
    const { volumes, lanes } = record(page(history.run(), { verdict: 'invalid', verdicts }));
    expect(volumes.map(({ name }) => name)).toEqual(['late', 'a']);
    expect(lanes.filter(({ group }) => group === 'volume').map(({ label }) => label)).toEqual([
      'volume late',
      'volume a',
    ]);
  });

  it('shows calls of the API at its role, and those of NFS at the node', () => {
    const { history } = outageRun();
    history.at(28_000).io({ kind: 'nfs-read', consumer: 'consumer1', server: 'node2' });
    const { lanes, calls, strings } = record(page(history.run()));
    const shown = (label: string): readonly (string | undefined)[] => {
      const is = lanes.find((lane) => lane.label === label)?.calls?.is;
      return calls.operation.filter((_, index) => calls.server[index] === is).map((each) => strings[each]);
    };
    expect(shown('node1 api')).toEqual(['POST /volumes']);
    expect(shown('node2')).toEqual(['nfs-read']);
  });

  it('draws a fault with a life cycle from its injection until it was seen to be gone', () => {
    const { history } = outageRun();
    const fault = { fault: 'latency', on: { nodes: 1 }, delayMs: 5, jitterMs: 0 } as never;
    const event = { type: 'nemesis', id: 'slow', fault, members: ['node2'] } as const;
    history.record({ ...event, atMs: 9_000, phase: 'inject' });
    history.record({ ...event, atMs: 9_100, phase: 'shown', evidence: 'pings take 5 ms' });
    history
      .record({ ...event, atMs: 9_900, phase: 'heal' })
      .record({ ...event, atMs: 9_950, phase: 'healed' });
    history.record({ ...event, id: 'no', members: [], atMs: 1, phase: 'unavailable', evidence: 'no netem' });
    const text = page(history.run());
    const slow = record(text).faults.find(({ label }) => label.startsWith('slow: '));
    expect(slow).toMatchObject({ label: expect.stringContaining('(node2)'), fromMs: 9_000, toMs: 9_950 });
    expect(text).toMatch(/Not to be had here: [^<]*no netem/);
  });

  it('keeps errors and what is near a finding of a log that is too long, and says what is missing', () => {
    const { history } = outageRun();
    history.at(20_000).expectation({ outcome: 'missed', what: 'x' });
    for (let index = 0; index < 20_000; index += 1) history.at(index * 10).log('node1', 'info', `l${index}`);
    const text = page(history.at(199_999).log('node1', 'error', 'at.last').run());
    const { logs } = record(text);
    expect(logs.atMs).toHaveLength(8_000);
    expect(logs.text).toEqual(expect.arrayContaining(['l2000', 'at.last']));
    expect(text).toMatch(/120\d\d of 200\d\d log lines are left out here.*<code>logs\/<\/code>/);
  });
});
