// What of a run can be seen from outside, and must be the same whatever the mode: answers, who may read and
// write, what becomes of each volume, what is told of it in which order, and the verdicts. Without ids, times
// and addresses, nodes where these are chosen by chance, and how often somebody had to ask.

import { VOLUMES_PREFIX } from '../../../src/kv/keys.ts';
import type { Volume } from '../../../src/model/volume.ts';
import { calls } from '../../../src/rig/checks/calls.ts';
import type { HistoryEvent, RecordedRun, Verdict } from '../../../src/rig/history.ts';

export interface Outcome {
  /** Each expectation of the script, with what became of it; in the script's order, but for what is asked all at once. */
  readonly expectations: readonly string[];
  readonly askedAtOnce: readonly string[];
  /** What the script's own calls on the API were answered. */
  readonly answers: readonly string[];
  /** By the scripts' names of volumes: how it is in etcd in the end, and on the disks of how many nodes. */
  readonly volumes: Readonly<Record<string, unknown>>;
  /** By volume: what a consumer that follows the events was told of it, and to do. */
  readonly told: Readonly<Record<string, Told>>;
  /** By check; what is not valid with its reason. */
  readonly verdicts: Readonly<Record<string, string>>;
}

/** Each in order. How the two are woven depends on who hears first that a node is away, in every mode. */
export interface Told {
  readonly states: readonly string[];
  readonly actions: readonly string[];
}

export function outcomeOf(run: RecordedRun, verdicts: readonly Verdict[]): Outcome {
  const names = namesOf(run);
  const known = new Map([
    ...names,
    ...Object.entries(run.consumers).map(([name, address]) => [address, name] as const),
  ]);
  const plain = (text: string): string =>
    [...known].reduce((sofar, [from, to]) => sofar.replaceAll(from, to), text);
  const final = run.history.findLast((event) => event.type === 'final-state');
  const stored = Object.entries(final?.keys ?? {}).filter(([key]) => key.startsWith(VOLUMES_PREFIX));
  const expected = run.history.flatMap((event) =>
    event.type === 'expectation' ? [`${event.what}: ${event.outcome}`] : [],
  );
  const toldOf = Map.groupBy(run.history.flatMap(toldVolume), ({ id }) => id);
  return {
    expectations: expected.filter((text) => !PROBE.test(text)),
    askedAtOnce: expected.filter((text) => PROBE.test(text)).sort(),
    answers: calls(run).flatMap(({ process, operation, completion }) =>
      process === 'client' && operation.kind === 'http'
        ? [plain(`${operation.method} ${operation.path}: ${completion?.status}`)]
        : [],
    ),
    volumes: Object.fromEntries(
      stored.map(([, value]) => {
        const volume = JSON.parse(value) as Volume;
        return [names.get(volume.id), JSON.parse(plain(JSON.stringify(stateOf(run, volume))))];
      }),
    ),
    told: Object.fromEntries(
      [...toldOf].map(([id, all]) => [
        names.get(id),
        {
          states: withoutEchoes(all.flatMap(({ state }) => state)),
          actions: withoutEchoes(all.flatMap(({ actions }) => actions)),
        },
      ]),
    ),
    verdicts: Object.fromEntries(
      verdicts.map(({ check, verdict, reason }) => [
        check,
        verdict === 'valid' ? verdict : `${verdict}: ${reason}`,
      ]),
    ),
  };
}

const PROBE = /answers \d+ with JSON while etcd is away/;

/** Each volume's name in the scripts, by its id. */
const namesOf = ({ etcd }: RecordedRun): ReadonlyMap<string, string> =>
  new Map(
    etcd
      .filter(({ key, value }) => key.startsWith(VOLUMES_PREFIX) && value !== undefined)
      .map(({ value = '' }) => JSON.parse(value) as Volume)
      .map(({ id, name }) => [id, name]),
  );

function stateOf({ history }: RecordedRun, { id, state, requested, actual, exports, control, node }: Volume) {
  const inventories = history.flatMap((event) =>
    event.type === 'inventory' && event.label === 'final' ? [event] : [],
  );
  const disks = inventories.flatMap(({ inventory }) => inventory.volumes.filter((one) => one.id === id));
  const serving = inventories.flatMap(({ inventory }) => inventory.exports.filter((one) => one.id === id));
  return {
    state,
    requested,
    actual: { size: actual?.reserved_size, exports: actual?.exports },
    exports,
    error: control.error,
    isWhereItSays: inventories.some(
      (one) => one.node === node && one.inventory.volumes.some((volume) => volume.id === id),
    ),
    disks: disks.map(({ quotaBytes, files }) => ({ quotaBytes, files: Object.keys(files).sort() })),
    serving: serving.map(({ clients }) => clients),
  };
}

function toldVolume(event: HistoryEvent): readonly {
  readonly id: string;
  readonly state: readonly string[];
  readonly actions: readonly string[];
}[] {
  if (event.type !== 'told') return [];
  const {
    kind,
    volume,
    change,
    phase,
    state,
    clients = [],
  } = event.data as {
    readonly kind?: string;
    readonly volume?: string;
    readonly change?: string;
    readonly phase?: string;
    readonly state?: string;
    readonly clients?: readonly { readonly action: string }[];
  };
  if (volume === undefined || kind === undefined) return [];
  if (kind === 'export') return [{ id: volume, state: [], actions: clients.map(({ action }) => action) }];
  const what = [kind, change, phase, state].filter((part) => part).join(' ');
  return [{ id: volume, state: [what], actions: clients.map(({ action }) => action) }];
}

/** A state may be told more than once while nothing of it changes that is looked at here. */
const withoutEchoes = (all: readonly string[]): readonly string[] =>
  all.filter((what, index) => what !== all[index - 1]);
