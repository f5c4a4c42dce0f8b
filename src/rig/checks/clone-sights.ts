// The clones of a run: which volumes they are of, what was written to either, and
// what was found in them.

import type { RecordedRun } from '../history.ts';
import { type Call, calls, type NfsOperation, nfsCalls } from './calls.ts';
import { FINAL_LABEL, finalState, finalVolumes, inventoriesOf } from './final.ts';
import { type Bound, createBound } from './late-writes.ts';
import { readsThatTell } from './reads.ts';
import { seconds } from './verdict.ts';
import { volumeSteps } from './volume-history.ts';

export interface Clone {
  readonly id: string;
  readonly parent: string;
  /** The snapshot was taken between these. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** What was found in a volume: a file's digest, or that it isn't there. */
export interface Sight {
  readonly volume: string;
  readonly file: string;
  readonly sha256: string | undefined;
  readonly where: string;
  /** It is of no later moment. */
  readonly untilMs: number;
}

export type NfsCall = Call<NfsOperation>;

export interface Family {
  readonly run: RecordedRun;
  /** Those that were ordered with an answer, by id. */
  readonly clones: ReadonlyMap<string, Clone>;
  /** Volumes that are clones at all. */
  readonly born: ReadonlySet<string>;
  /** By volume and file, those that were refused left out. */
  readonly writes: FileCalls;
  readonly reads: FileCalls;
  /** Files that some client wrote: others may be the rig's own. */
  readonly written: ReadonlySet<string>;
  readonly isOver: Bound;
}

type FileCalls = ReadonlyMap<string, ReadonlyMap<string, readonly NfsCall[]>>;

/** Everything that there is to know of the run's clones. */
export function familyOf(run: RecordedRun): Family {
  const all = nfsCalls(run);
  const isWrite = ({ operation, completion }: NfsCall): boolean =>
    operation.kind === 'nfs-write' && !(completion?.phase === 'fail' && completion.refused === true);
  const tells = readsThatTell(run);
  const isRead = (call: NfsCall): boolean => call.operation.kind === 'nfs-read' && tells(call);
  return {
    run,
    ...clonesOf(run),
    writes: byFile(all.filter(isWrite)),
    reads: byFile(all.filter(isRead)),
    written: new Set(all.filter(isWrite).map(({ operation }) => operation.file)),
    isOver: createBound(run),
  };
}

function byFile(all: readonly NfsCall[]): FileCalls {
  const byVolume = Map.groupBy(all, ({ operation }) => operation.volume);
  return new Map([...byVolume].map(([id, own]) => [id, Map.groupBy(own, ({ operation }) => operation.file)]));
}

function clonesOf(run: RecordedRun): Pick<Family, 'clones' | 'born'> {
  const orders = new Map<unknown, Call>();
  for (const call of calls(run)) {
    const id = (call.completion?.body as { id?: unknown } | null | undefined)?.id;
    const { operation } = call;
    // One that was ordered without an answer is known to its clients all the same, who may ask for more of it.
    const isOrder = operation.kind === 'http' && operation.method === 'POST' && operation.path === '/volumes';
    if (isOrder && !orders.has(id)) orders.set(id, call);
  }
  const found = new Map<string, Clone>();
  const born = new Set<string>();
  for (const [id, steps] of Map.groupBy(volumeSteps(run), (step) => step.id)) {
    const parent = steps[0]?.after?.control.parent_id ?? null;
    if (parent === null) continue;
    born.add(id);
    const ready = steps.find(({ after }) => after?.state === 'ready');
    const order = orders.get(id);
    if (ready === undefined || order === undefined) continue;
    found.set(id, { id, parent, fromMs: order.invokedMs, toMs: ready.event.atMs });
  }
  return { clones: found, born };
}

/** What the disks had of the clone and of its parent at the end; and every file that is to be looked for. */
export function seenOf({ run, writes, written, clones: all }: Family, { id, parent }: Clone) {
  const state = finalState(run);
  const volumes = state === undefined ? undefined : finalVolumes(state);
  const onDisk = [id, parent].flatMap((volume) => {
    const node = volumes?.get(volume)?.node;
    const inventory = node == null ? undefined : inventoriesOf(run, FINAL_LABEL).get(node);
    const found = inventory?.volumes.find((candidate) => candidate.id === volume);
    return found === undefined || node == null ? [] : [{ volume, node, files: found.files }];
  });
  const files = new Set(onDisk.flatMap((one) => Object.keys(one.files).filter((file) => written.has(file))));
  for (let next: string | undefined = id; next !== undefined; next = all.get(next)?.parent) {
    for (const file of writes.get(next)?.keys() ?? []) files.add(file);
  }
  return { onDisk, files };
}

/** Reads of the clone's file through NFS that came to an end, and what the disks had at the end. */
export function sightsOf(
  { reads }: Family,
  { id, toMs }: Clone,
  file: string,
  onDisk: ReturnType<typeof seenOf>['onDisk'],
): readonly Sight[] {
  const read = (reads.get(id)?.get(file) ?? [])
    .filter(({ invokedMs }) => invokedMs > toMs)
    .map(({ operation, completion, invokedMs }) => ({
      volume: operation.volume,
      file,
      sha256: completion?.sha256,
      where: `${seconds(invokedMs)}: ${operation.consumer} reads ${completion?.sha256 ?? 'no such file'} in ${operation.volume}/${file}`,
      untilMs: completion?.atMs ?? invokedMs,
    }));
  const kept = onDisk.map(({ volume, node, files }) => ({
    volume,
    file,
    sha256: files[file],
    where: `at the end ${node} has ${files[file] ?? 'no such file'} in ${volume}/${file}`,
    untilMs: Number.POSITIVE_INFINITY,
  }));
  return [...read, ...kept];
}

export const writesOf = ({ writes }: Family, volume: string, file: string): readonly NfsCall[] =>
  writes.get(volume)?.get(file) ?? [];
