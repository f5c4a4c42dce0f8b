// Every byte that was acknowledged through NFS is there afterwards: at the end
// on the disk of the volume's node, and in every read in between that tells (reads.ts).
//
// Assumes that a write replaces the whole file, that a write whose outcome
// nobody knows (`info`, be it refused after it had begun, or a failure that
// wasn't a refusal) may have happened in whole, in part, late or not at all, so that the content of such a file can no
// longer be judged, though its being there can; and that two writes which were
// open at the same time may have happened in either order. Of volumes that
// clients had deleted only the reads are judged; one that is still moving at the end is on neither node for certain.

import type { Check, FinalStateEvent, RecordedRun, Verdict } from '../history.ts';
import { type Call, endedMs, type NfsOperation, nfsCalls, possiblyLast } from './calls.ts';
import { deletedByClients } from './deletions.ts';
import { FINAL_LABEL, finalState, finalVolumes, inventoriesOf } from './final.ts';
import { isAbsence, readsThatTell } from './reads.ts';
import { answersOf, count, seconds } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('durability');

type NfsCall = Call<NfsOperation>;

interface FileHistory {
  readonly name: string;
  readonly volume: string;
  readonly file: string;
  /** In order of invocation; those that were refused before they began left out. */
  readonly writes: NfsCall[];
  /** Those that found something, and those that found nothing where the file might be looked for. */
  readonly reads: NfsCall[];
}

export const durability: Check = (run) => {
  const deleted = deletedByClients(run);
  const state = finalState(run);
  let judged = 0;
  const unverified: string[] = [];
  for (const file of files(run)) {
    if (!file.writes.some(isAcknowledged)) continue;
    for (const read of file.reads) {
      const content = contentAt(file, { fromMs: read.invokedMs, toMs: endedMs(read) });
      if (content.acknowledged !== undefined && isAbsence(read)) {
        return lost(file, content.acknowledged, `${describeRead(read)} found no such file`);
      }
      if (content.acknowledged === undefined || content.possible === undefined) continue;
      judged += 1;
      const found = read.completion?.sha256;
      if (found !== undefined && !content.possible.has(found)) {
        return lost(file, content.acknowledged, `${describeRead(read)} found ${found}`);
      }
    }
    if (deleted.has(file.volume)) continue;
    const verdict = onDisk(run, state, file);
    if (verdict === 'unseen') unverified.push(file.name);
    else if (verdict !== undefined) return verdict;
    else judged += 1;
  }
  if (unverified.length > 0) {
    return unknown(`${count(unverified.length, 'file')} could not be looked for at the end`, unverified);
  }
  if (judged === 0) return unknown('no write was acknowledged');
  return valid(`acknowledged content was found each of the ${judged} times that it was looked for`);
};

function files(run: RecordedRun): readonly FileHistory[] {
  const byName = new Map<string, FileHistory>();
  const tells = readsThatTell(run);
  for (const call of nfsCalls(run)) {
    const { kind, volume, file } = call.operation;
    const name = `${volume}/${file}`;
    const history = byName.get(name) ?? { name, volume, file, writes: [], reads: [] };
    byName.set(name, history);
    if (kind === 'nfs-write' && !neverBegan(call)) history.writes.push(call);
    if (kind === 'nfs-read' && tells(call)) history.reads.push(call);
  }
  return [...byName.values()];
}

const neverBegan = ({ completion }: NfsCall): boolean =>
  completion?.phase === 'fail' && completion.refused === true;

const isAcknowledged = (write: NfsCall): boolean => write.completion?.phase === 'ok';

/**
 * What the file may hold when it is looked at. `acknowledged` is a write that
 * it must not be older than; `possible` is undefined when its content can't be judged.
 */
function contentAt(
  { writes }: FileHistory,
  look: { readonly fromMs: number; readonly toMs: number },
): { readonly acknowledged: NfsCall | undefined; readonly possible: ReadonlySet<string> | undefined } {
  const begun = writes.filter((write) => write.invokedMs <= look.toMs);
  const before = begun.filter((write) => isAcknowledged(write) && endedMs(write) < look.fromMs);
  const acknowledged = before.at(-1);
  // A look that overlaps a write, or an outcome that nobody knows, may meet half a file.
  const blurred = begun.some((write) => !isAcknowledged(write) || endedMs(write) >= look.fromMs);
  if (blurred) return { acknowledged, possible: undefined };
  return {
    acknowledged,
    possible: new Set(possiblyLast(before).map((write) => write.completion?.sha256 ?? digest(write))),
  };
}

const digest = (call: NfsCall): string => call.operation.sha256 ?? '(unknown)';

/** undefined when it is there, `unseen` when nobody could look. */
function onDisk(
  run: RecordedRun,
  state: FinalStateEvent | undefined,
  file: FileHistory,
): Verdict | 'unseen' | undefined {
  const stored = state === undefined ? undefined : finalVolumes(state).get(file.volume);
  const node = stored?.node;
  const inventory = node == null ? undefined : inventoriesOf(run, FINAL_LABEL).get(node);
  const end = Number.MAX_VALUE;
  const content = contentAt(file, { fromMs: end, toMs: end });
  const { acknowledged } = content;
  if (acknowledged === undefined) return undefined;
  // Where part of etcd's history is missing, somebody may have deleted it.
  if (state !== undefined && stored === undefined && run.etcdComplete) {
    return lost(file, acknowledged, `at the end etcd has no volume ${file.volume}, which nobody deleted`);
  }
  if (inventory === undefined || stored?.state === 'moving') return 'unseen';
  const volume = inventory.volumes.find((candidate) => candidate.id === file.volume);
  if (volume === undefined)
    return lost(file, acknowledged, `at the end ${node} has no subvolume ${file.volume}`);
  const found = volume.files[file.file];
  if (found === undefined) return lost(file, acknowledged, `at the end ${node} has no file ${file.file}`);
  if (content.possible === undefined || content.possible.has(found)) return undefined;
  return lost(file, acknowledged, `at the end ${node} has ${found}`);
}

const lost = (file: FileHistory, write: NfsCall, found: string): Verdict =>
  invalid(`the acknowledged content of ${file.name} was lost`, [describe(write), found]);

const describeRead = ({ call, operation, invokedMs }: NfsCall): string =>
  `${seconds(invokedMs)}: ${operation.kind} of ${operation.file} by ${operation.consumer} (call ${call})`;

const describe = (call: NfsCall): string =>
  `${seconds(call.completion?.atMs ?? call.invokedMs)}: ${call.operation.kind} of ${call.operation.file} by ` +
  `${call.operation.consumer} acknowledged (call ${call.call}, ${call.completion?.sha256 ?? digest(call)})`;
