// The lanes of the time line: what was broken, the nodes and their roles, the
// clients, the volumes.

import { NODES_PREFIX } from '../../kv/keys.ts';
import type { Call } from '../checks/calls.ts';
import { type Reign, reigns } from '../checks/leader-history.ts';
import type { VolumeStep } from '../checks/volume-history.ts';
import { shareOf } from '../checks/work-clock.ts';
import type { RecordedRun } from '../history.ts';
import { apiOf, clientOf } from './call-columns.ts';
import type { FaultWindow } from './fault-windows.ts';
import type { PageBar, PageLane } from './page-data.ts';
import { rounded, type Strings } from './strings.ts';
import type { VolumeLife } from './volume-lives.ts';

/** More than this nobody reads; those with an error come first. */
const MOST_VOLUMES = 40;
const MOST_CLIENTS = 40;

export interface LaneOptions {
  readonly run: RecordedRun;
  readonly calls: readonly Call[];
  readonly windows: readonly FaultWindow[];
  readonly endMs: number;
  /** The volumes, in the order in which they matter. */
  readonly volumes: readonly VolumeLife[];
  readonly strings: Strings;
}

export function lanes(options: LaneOptions): readonly PageLane[] {
  return [
    ...faultLanes(options),
    ...machineLane(options),
    ...nodeLanes(options),
    ...clientLanes(options),
    ...volumeLanes(options),
  ];
}

interface Bar {
  readonly fromMs: number;
  readonly toMs: number;
  readonly style: string;
  readonly text: string;
}

/** An end beyond the record's is the record's. */
const packed = ({ endMs, strings }: LaneOptions, bars: readonly Bar[]): readonly PageBar[] =>
  bars.map(({ fromMs, toMs, style, text }) => [
    rounded(fromMs),
    rounded(Math.min(toMs, endMs)),
    strings.of(style),
    strings.of(text),
  ]);

function faultLanes(options: LaneOptions): readonly PageLane[] {
  return [...Map.groupBy(options.windows, ({ lane }) => lane)].map(([lane, windows]) => ({
    group: 'fault',
    label: /^fault/.test(lane) ? lane : `fault ${lane}`,
    bars: packed(
      options,
      windows.map(({ fromMs, toMs, label, evidence }) => ({
        fromMs,
        toMs,
        style: 'fault',
        text: `${label}${evidence === '' ? '' : `; seen: ${evidence}`}`,
      })),
    ),
  }));
}

/** Beyond this much, from slow to slower, is how work is said to be slowed. */
const SLOW = [
  { share: 1 / 8, style: 'starved', text: 'starved: work takes 8 times as long, or more' },
  { share: 1 / 2, style: 'busy', text: 'busy: work takes 2 to 8 times as long' },
] as const;

/** When the machine was slow; none if it never was. */
function machineLane(options: LaneOptions): readonly PageLane[] {
  const bars = options.run.history.flatMap((event): readonly Bar[] => {
    if (event.type !== 'machine') return [];
    const slow = SLOW.find(({ share }) => shareOf(event) <= share);
    return slow === undefined ? [] : [{ ...slow, fromMs: event.atMs - event.overMs, toMs: event.atMs }];
  });
  if (bars.length === 0) return [];
  return [{ group: 'machine', label: 'machine', bars: packed(options, joined(bars)) }];
}

function nodeLanes(options: LaneOptions): readonly PageLane[] {
  const { run, windows, strings } = options;
  const terms = reigns(run);
  const alive = registrations(run);
  return run.topology.nodes.flatMap(({ name, roles }): readonly PageLane[] => {
    const down = windows.filter(({ lane }) => lane === name);
    const node: PageLane = {
      group: 'node',
      label: name,
      bars: packed(
        options,
        down.map(({ fromMs, toMs, label }) => ({ fromMs, toMs, style: 'fault', text: label })),
      ),
      calls: { by: 'server', is: strings.of(name) },
      logs: { container: strings.of(name), role: strings.of('') },
    };
    const bars: Readonly<Record<string, readonly Bar[]>> = {
      engine: terms.filter((reign) => reign.node === name).map(leads),
      agent: alive.get(name) ?? [],
    };
    const ofRoles = roles.map((role): PageLane => {
      const lane = {
        group: 'role',
        label: `${name} ${role}`,
        bars: packed(options, bars[role] ?? []),
      } as const;
      const logs = { container: strings.of(name), role: strings.of(role) };
      return role === 'api'
        ? { ...lane, logs, calls: { by: 'server', is: strings.of(apiOf(name)) } }
        : { ...lane, logs };
    });
    return [node, ...ofRoles];
  });
}

const leads = ({ created, deleted, term }: Reign): Bar => ({
  fromMs: created.atMs,
  toMs: deleted?.atMs ?? Number.POSITIVE_INFINITY,
  style: 'leads',
  text: `leads, term ${term}`,
});

/** When each node's key was there. */
function registrations(run: RecordedRun): ReadonlyMap<string, readonly Bar[]> {
  const all = new Map<string, Bar[]>();
  for (const { key, kind, atMs } of run.etcd) {
    if (!key.startsWith(NODES_PREFIX)) continue;
    const name = key.slice(NODES_PREFIX.length);
    const bars = all.get(name) ?? [];
    all.set(name, bars);
    const last = bars.at(-1);
    const open = last?.toMs === Number.POSITIVE_INFINITY ? last : undefined;
    if (kind === 'delete' && open !== undefined) bars[bars.length - 1] = { ...open, toMs: atMs };
    if (kind === 'put' && open === undefined)
      bars.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY, style: 'registered', text: 'registered' });
  }
  return all;
}

function clientLanes({ calls, strings }: LaneOptions): readonly PageLane[] {
  return [...new Set(calls.map(clientOf))].slice(0, MOST_CLIENTS).map((client) => ({
    group: 'client',
    label: client,
    bars: [],
    calls: { by: 'client', is: strings.of(client) },
  }));
}

function volumeLanes(options: LaneOptions): readonly PageLane[] {
  return options.volumes.slice(0, MOST_VOLUMES).map(({ name, steps }) => ({
    group: 'volume',
    label: `volume ${name}`,
    bars: packed(options, joined(steps.flatMap((step, index) => stateBar(step, steps[index + 1])))),
  }));
}

function stateBar(step: VolumeStep, next: VolumeStep | undefined): readonly Bar[] {
  if (step.after === undefined) return [];
  const { state, node } = step.after;
  const toMs = next?.event.atMs ?? Number.POSITIVE_INFINITY;
  const text = node === null ? state : `${state} on ${node}`;
  return [{ fromMs: step.event.atMs, toMs, style: `state-${state}`, text }];
}

/** Neighbours that look the same become one bar. */
function joined(bars: readonly Bar[]): readonly Bar[] {
  const all: Bar[] = [];
  for (const bar of bars) {
    const last = all.at(-1);
    if (last !== undefined && last.text === bar.text && Math.abs(last.toMs - bar.fromMs) < 1)
      all[all.length - 1] = { ...last, toMs: bar.toMs };
    else all.push(bar);
  }
  return all;
}
