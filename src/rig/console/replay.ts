// A recorded run as the console has it at any of its moments.

import { LEADER_KEY, VOLUMES_PREFIX } from '../../kv/keys.ts';
import { outages } from '../checks/outages.ts';
import type { RecordedRun, Verdict } from '../history.ts';
import { pageData } from '../report/data.ts';
import { faultWindows } from '../report/fault-windows.ts';
import { findings } from '../report/findings.ts';
import type { PageData } from '../report/page-data.ts';
import { etcdMembers, type Topology } from '../topology.ts';
import type { ClusterItem, EtcdItem, Item, Items, MemberItem, RoleCondition } from './items.ts';
import { createKeyHistory, type KeyHistory } from './key-history.ts';
import type { ConsoleLogLine } from './log-lines.ts';
import { newsOfLeader, newsOfVolume, type StoryLine } from './story.ts';
import { itemsOf, leaderIn, type SeenMember } from './view.ts';

/** All that is known of it; times are milliseconds of the run. */
export interface Moment {
  readonly atMs: number;
  readonly revision: number;
  readonly items: Items;
  /** What has happened by then: the last of it. */
  readonly story: readonly StoryLine[];
  /** What was printed by then: the last of it. */
  readonly logs: readonly ConsoleLogLine[];
}

export interface Replay {
  readonly history: KeyHistory;
  /** What the time line shows, and the moments at which something happens. */
  readonly timeline: { readonly data: PageData; readonly stepsMs: readonly number[] };
  at(atMs: number): Moment;
}

const MOST_LINES = 200;
const MOST_VOLUME_LANES = 12;

export function createReplay(options: {
  readonly run: RecordedRun;
  readonly verdicts: readonly Verdict[];
  readonly cluster: ClusterItem;
}): Replay {
  const { run, verdicts, cluster } = options;
  const history = createKeyHistory(Number.POSITIVE_INFINITY);
  history.add(run.etcd);
  const windows = faultWindows(run);
  const story = storyOf(run, history);
  const logs = run.logs.map(
    ({ atMs, container, level, event, fields }): ConsoleLogLine => ({
      ...{ atMs, level, member: container },
      role: typeof fields.role === 'string' ? fields.role : '',
      text: [event === 'text' ? String(fields.text) : event, ...rest(fields)].join(' '),
    }),
  );
  const upTo = <T extends { readonly atMs: number }>(list: readonly T[], atMs: number): readonly T[] => {
    const end = list.findLastIndex((one) => one.atMs <= atMs) + 1;
    return list.slice(Math.max(0, end - MOST_LINES), end);
  };
  const stepsMs = [
    ...new Set([
      ...run.etcd.map(({ atMs }) => atMs),
      ...windows.flatMap(({ fromMs, toMs }) => [fromMs, toMs]),
    ]),
  ]
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  return {
    history,
    timeline: { data: shownLanes(pageData(run, findings(run, verdicts))), stepsMs },
    at: (atMs) => {
      const revision = history.revisionAt(atMs);
      const active = windows.filter(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
      const faults = active.map(
        ({ label, fromMs, evidence }) =>
          [`fault:${label}`, { is: 'fault', label, fromMs, evidence }] as const,
      );
      const etcd: EtcdItem = { is: 'etcd', revision, from: history.from, stale: null };
      const items: Record<string, Item> = {
        ...{ cluster, etcd },
        ...itemsOf(history.at(revision), membersAt(run, atMs)),
        ...Object.fromEntries(faults),
      };
      return { atMs, revision, items, story: upTo(story, atMs), logs: upTo(logs, atMs) };
    },
  };
}

function rest({ text: _text, role: _role, ...fields }: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
}

/** Clients have no place in a picture of the cluster, and of volumes a few will do. */
function shownLanes(data: PageData): PageData {
  let volumes = 0;
  const lanes = data.lanes.filter(({ group }) => {
    if (group === 'volume') volumes += 1;
    return group !== 'client' && (group !== 'volume' || volumes <= MOST_VOLUME_LANES);
  });
  return { ...data, lanes };
}

const ALL_ROLES = ['api', 'engine', 'agent'] as const;

/** By what the run did to them. */
function membersAt(run: RecordedRun, atMs: number): readonly SeenMember[] {
  const now = outages(run).filter(
    ({ kind, fromMs, toMs }) => kind !== 'impaired' && fromMs <= atMs && atMs < toMs,
  );
  const member = (
    name: string,
    kind: MemberItem['kind'],
    roles: MemberItem['roles'],
    address: string | null,
  ): SeenMember => {
    const whole = now.filter((outage) => outage.container === name && outage.role === undefined);
    const state = whole.some((outage) => outage.kind === 'down')
      ? 'down'
      : whole.length > 0
        ? 'frozen'
        : 'running';
    const of = (role: string): RoleCondition => {
      if (state !== 'running') return state;
      const hit = now.find((outage) => outage.container === name && outage.role === role);
      return hit === undefined ? 'running' : hit.kind === 'down' ? 'down' : 'frozen';
    };
    const conditions = Object.keys(roles).map((role) => [role, of(role)]);
    return { name, kind, state, roles: Object.fromEntries(conditions), url: null, address };
  };
  const { topology, consumers } = run;
  return [
    ...etcdMembers(topology).map((name) => member(name, 'etcd', {}, null)),
    ...topology.nodes.map(({ name, roles }) => member(name, 'node', wanted(roles), null)),
    ...topology.consumers.map((name) => member(name, 'consumer', {}, consumers[name] ?? null)),
  ];
}

const wanted = (roles: Topology['nodes'][number]['roles']): MemberItem['roles'] =>
  Object.fromEntries(
    ALL_ROLES.filter((role) => roles.includes(role)).map((role) => [role, 'running' as const]),
  );

/** Faults, failovers, and what became of volumes. */
function storyOf(run: RecordedRun, history: KeyHistory): readonly StoryLine[] {
  const faults = faultWindows(run).flatMap(({ label, fromMs, toMs, evidence }): StoryLine[] => [
    { atMs: fromMs, tone: 'doubtful', text: `${label} begins${evidence === '' ? '' : `: ${evidence}`}` },
    ...(Number.isFinite(toMs) ? [{ atMs: toMs, tone: 'good', text: `${label} is over` } as const] : []),
  ]);
  const events = run.etcd.flatMap(({ atMs, revision, key }): StoryLine[] => {
    const [before, after] = [revision - 1, revision].map((one) => {
      const entry = history.entryAt(key, one);
      return entry === undefined ? [] : [entry];
    });
    const told =
      key === LEADER_KEY
        ? newsOfLeader(leaderIn(before ?? []), leaderIn(after ?? []))
        : key.startsWith(VOLUMES_PREFIX)
          ? newsOfVolume(volumeIn(before ?? []), volumeIn(after ?? []))
          : [];
    return told.map((line) => ({ atMs, ...line }));
  });
  const missed = run.history.flatMap((event): StoryLine[] =>
    event.type === 'expectation' && event.outcome === 'missed'
      ? [{ atMs: event.atMs, tone: 'bad', text: `missed: ${event.what}: ${event.seen}` }]
      : [],
  );
  return [...faults, ...events, ...missed].sort((a, b) => a.atMs - b.atMs);
}

const volumeIn = (entries: Parameters<typeof itemsOf>[0]) => {
  const [found] = Object.values(itemsOf(entries, []));
  return found?.is === 'volume' ? found : undefined;
};
