import { describe, expect, it } from '@jest/globals';
import { CHECKS, type CheckName } from '../../../../src/rig/checks/catalogue.ts';
import { firstMissingRevision, hasGap } from '../../../../src/rig/checks/gaps.ts';
import type { EtcdEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { calmRun, outageRun, withEtcd } from '../support/runs.ts';

/** The recorder was away while these were committed, and they were compacted before it was back. */
const without = (run: RecordedRun, isMissing: (event: EtcdEvent) => boolean): RecordedRun => ({
  ...withEtcd(run, (event) => (isMissing(event) ? undefined : event)),
  etcdComplete: false,
});

const REPLAYING: readonly CheckName[] = [
  'legal-transitions',
  'fencing',
  'one-leader',
  'no-overcommit',
  'constraints',
  'heartbeats',
];

describe('a record with a gap', () => {
  it('is no witness against the system, whichever revision is missing', () => {
    const run = outageRun().history.run();
    for (const { revision } of run.etcd.slice(0, -1)) {
      const torn = without(run, (event) => event.revision === revision);
      const verdicts = REPLAYING.map((name) => [name, CHECKS[name](torn).verdict]);
      expect([revision, ...verdicts.filter(([, verdict]) => verdict !== 'unknown')]).toEqual([revision]);
    }
  });

  it('would be one, were it whole', () => {
    const { etcd } = calmRun().history.run();
    const made = etcd.find(({ value }) => value?.includes('"state":"ready"'))?.revision;
    const torn = without(calmRun().history.run(), ({ revision }) => revision === made);
    expect(CHECKS['legal-transitions']({ ...torn, etcdComplete: true }).verdict).toBe('invalid');
  });

  it('is told from one that only ends early', () => {
    const run = calmRun().history.run();
    expect(hasGap(run)).toBe(false);
    expect(hasGap({ ...run, etcd: run.etcd.slice(0, 5), etcdComplete: false })).toBe(false);
    expect(hasGap({ ...run, etcd: run.etcd.slice(1), etcdComplete: false })).toBe(true);
    expect(firstMissingRevision(run.etcd, (run.etcd.at(-1)?.revision ?? 0) + 1)).toBe(
      (run.etcd.at(-1)?.revision ?? 0) + 1,
    );
  });
});
