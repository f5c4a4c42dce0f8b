// What there is to inject: of each kind an example, what it takes, and what a
// topology has to give for it.

import { wrapped } from '../report/text.ts';
import { describeFault, faultOf } from './catalogue.ts';
import type { FaultName, FaultSpec, SpecOf } from './spec.ts';

export const EXAMPLES: { readonly [Name in FaultName]: SpecOf<Name> } = {
  kill: { fault: 'kill', on: 'leader', role: 'engine' },
  stop: { fault: 'stop', on: 'leader', role: 'engine' },
  pause: { fault: 'pause', on: 'node1', role: 'agent' },
  restart: { fault: 'restart', on: 'one' },
  'out-of-memory': { fault: 'out-of-memory', on: 'one' },
  partition: { fault: 'partition', shape: 'isolate', on: 'leader' },
  cut: { fault: 'cut', from: 'node1', to: 'etcd-all', oneWay: true },
  loss: { fault: 'loss', on: 'one', percent: 20 },
  latency: { fault: 'latency', on: 'leader', delayMs: 200, jitterMs: 50 },
  bandwidth: { fault: 'bandwidth', on: 'one', kbitPerSecond: 1_000 },
  reset: { fault: 'reset', on: 'one' },
  'half-open': { fault: 'half-open', on: 'one' },
  'clock-offset': { fault: 'clock-offset', on: 'node1', offsetMs: 60_000 },
  'clock-jump': { fault: 'clock-jump', on: 'node1', spanMs: 60_000 },
  'clock-drift': { fault: 'clock-drift', on: 'node1', rate: 1.1 },
  'disk-full': { fault: 'disk-full', on: 'one' },
  'quota-full': { fault: 'quota-full', volume: 'data' },
  'disk-read-only': { fault: 'disk-read-only', on: 'one' },
  'disk-errors': { fault: 'disk-errors', on: 'node1' },
  'disk-slow': { fault: 'disk-slow', on: 'node1', kbitPerSecond: 20_000 },
  'etcd-data-loss': { fault: 'etcd-data-loss', on: 'etcd-minority' },
  'etcd-compaction': { fault: 'etcd-compaction', everyMs: 500 },
  'lease-revoked': { fault: 'lease-revoked', on: 'leader', role: 'engine' },
  'node-added': { fault: 'node-added', node: 'node4' },
  'node-removed': { fault: 'node-removed', node: 'node3' },
  'rolling-restart': { fault: 'rolling-restart' },
  'rolling-upgrade': { fault: 'rolling-upgrade', image: 'cobalt:1.2' },
  'engine-demotion': { fault: 'engine-demotion' },
  failpoint: { fault: 'failpoint', on: 'one', failpoints: 'agent/after-create=crash' },
};

/** Fields that may be left out, where the kind doesn't always take them. */
const OPTIONAL: Partial<Record<FaultName, readonly string[]>> = {
  kill: ['role'],
  stop: ['role'],
  pause: ['role'],
  cut: ['oneWay'],
  'rolling-upgrade': ['image'],
};

/** Of the topology; only a cluster can tell whether it is there. */
const GIVEN: Partial<Record<FaultName, string>> = {
  'clock-offset': "clock: 'own' for the node",
  'clock-jump': "clock: 'own' for the node",
  'clock-drift': "clock: 'own' for the node",
  'disk-errors': "disk: 'breakable' for the node",
  'disk-slow': "disk: 'breakable' for the node",
  'etcd-data-loss': 'etcd.members: 3 or 5',
  'node-added': "starts: 'later' for the node",
  'rolling-upgrade': 'the image, on this machine',
  failpoint: 'settings.failpointSwitches: true',
};

const takes = ({ fault, ...fields }: FaultSpec): readonly string[] =>
  Object.keys(fields).map((name) => (OPTIONAL[fault]?.includes(name) ? `${name}?` : name));

/** What there is to say of a kind. */
export interface Listed {
  readonly fault: FaultName;
  readonly family: string;
  /** As a sentence. */
  readonly example: string;
  /** Its fields; those with `?` may be left out. */
  readonly takes: readonly string[];
  /** What this machine lacks for it. */
  readonly lacks?: string;
  /** What a topology has to give for it. */
  readonly needs?: string;
}

/** `missing` tells what this machine lacks for one, as far as that can be told without a cluster. */
export const listed = (
  missing: (spec: FaultSpec) => Promise<string | undefined>,
): Promise<readonly Listed[]> =>
  Promise.all(
    Object.values(EXAMPLES).map(async (spec) => {
      const { fault } = spec;
      const [lacks, needs] = [await missing(spec), GIVEN[fault]];
      return {
        fault,
        family: faultOf(spec).family,
        example: describeFault(spec),
        takes: takes(spec),
        ...(lacks !== undefined && { lacks }),
        ...(needs !== undefined && { needs }),
      };
    }),
  );

/** Lines for so many columns. */
export const listing = (faults: readonly Listed[], columns: number): readonly string[] =>
  faults.flatMap(({ fault, family, example, takes: fields, lacks, needs }) =>
    [
      `${fault} (${family})`,
      `  such as ${example}`,
      `  takes ${fields.join(', ') || 'nothing'}`,
      `  ${lacks === undefined ? 'available' : `NOT available: ${lacks}`}${needs === undefined ? '' : `; needs ${needs}`}`,
    ].flatMap((line) => wrapped(line, { columns, indent: '    ', most: 6 })),
  );

/** Whether a cluster, and its topology, must be there to tell whether it can be had. */
export const needsCluster = ({ fault }: FaultSpec): boolean => GIVEN[fault] !== undefined;
