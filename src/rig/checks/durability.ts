// Every byte that was acknowledged through NFS is there afterwards: at the end
// on the disk of the volume's node, and in every read in between that tells (reads.ts).
//
// Assumes that a write replaces the whole file, that a write whose outcome
// nobody knows (`info`, be it refused after it had begun, or a failure that
// wasn't a refusal) may have happened in whole, in part, late or not at all, so that the
// content of such a file can no longer be judged, though its being there can, until it is
// written anew when nothing can come of that write any more (late-writes.ts); and that two
// writes which were open at the same time may have happened in either order. Of volumes that
// clients had deleted only the reads are judged; one that is still moving at the end is on
// neither node for certain.

import type { Check, FinalStateEvent, RecordedRun, Verdict } from '../history.ts';
import { type Call, endedMs, type NfsOperation } from './calls.ts';
import { deletedByClients } from './deletions.ts';
import { contentAt, digest, type FileHistory, fileHistories, isAcknowledged } from './file-history.ts';
import { FINAL_LABEL, finalState, finalVolumes, inventoriesOf } from './final.ts';
import { type Bound, createBound } from './late-writes.ts';
import { isAbsence } from './reads.ts';
import { answersOf, count, seconds } from './verdict.ts';

const { valid, invalid, unknown } = answersOf('durability');

type NfsCall = Call<NfsOperation>;

/** What every look at a file is judged with. */
interface Context {
  readonly run: RecordedRun;
  readonly state: FinalStateEvent | undefined;
  readonly deleted: ReadonlySet<string>;
  readonly isOver: Bound;
}

/** Of one file: how often its content was compared, and looks from which nothing but its being there followed. */
interface Found {
  compared: number;
  seen: number;
  isUnseenAtEnd: boolean;
}

export const durability: Check = (run) => {
  const context: Context = {
    run,
    state: finalState(run),
    deleted: deletedByClients(run),
    isOver: createBound(run),
  };
  let compared = 0;
  let onlySeen = 0;
  const unseen: string[] = [];
  for (const file of fileHistories(run)) {
    if (!file.writes.some(isAcknowledged)) continue;
    const found = judgeFile(context, file);
    if ('verdict' in found) return found;
    compared += found.compared;
    if (found.compared === 0 && found.seen > 0) onlySeen += 1;
    if (found.isUnseenAtEnd) unseen.push(file.name);
  }
  if (unseen.length > 0)
    return unknown(`${count(unseen.length, 'file')} could not be looked for at the end`, unseen);
  const seen = `of ${count(onlySeen, 'file')} only the being there could be judged`;
  if (compared === 0) return unknown(onlySeen > 0 ? seen : 'no write was acknowledged');
  return valid(
    `acknowledged content was found each of the ${compared} times that it was compared${onlySeen > 0 ? `; ${seen}` : ''}`,
  );
};

function judgeFile(context: Context, file: FileHistory): Verdict | Found {
  const found: Found = { compared: 0, seen: 0, isUnseenAtEnd: false };
  for (const read of file.reads) {
    const { acknowledged, possible } = contentAt(file, context.isOver, {
      fromMs: read.invokedMs,
      toMs: endedMs(read),
    });
    if (acknowledged === undefined) continue;
    if (isAbsence(read)) return lost(file, acknowledged, `${describeRead(read)} found no such file`);
    const sha256 = read.completion?.sha256;
    if (possible === undefined || sha256 === undefined) found.seen += 1;
    else if (possible.has(sha256)) found.compared += 1;
    else return lost(file, acknowledged, `${describeRead(read)} found ${sha256}`);
  }
  if (context.deleted.has(file.volume)) return found;
  const atEnd = onDisk(context, file);
  if (typeof atEnd !== 'string') return atEnd;
  if (atEnd === 'as it must be') found.compared += 1;
  if (atEnd === 'there') found.seen += 1;
  return { ...found, isUnseenAtEnd: atEnd === 'unseen' };
}

/** `there`: its content can't be judged. `unseen`: nobody could look. */
function onDisk(context: Context, file: FileHistory): Verdict | 'as it must be' | 'there' | 'unseen' {
  const { run, state } = context;
  const stored = state === undefined ? undefined : finalVolumes(state).get(file.volume);
  const node = stored?.node;
  const inventory = node == null ? undefined : inventoriesOf(run, FINAL_LABEL).get(node);
  const end = Number.MAX_VALUE;
  const { acknowledged, possible } = contentAt(file, context.isOver, { fromMs: end, toMs: end });
  if (acknowledged === undefined) return 'unseen';
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
  if (possible === undefined) return 'there';
  if (possible.has(found)) return 'as it must be';
  return lost(file, acknowledged, `at the end ${node} has ${found}`);
}

const lost = (file: FileHistory, write: NfsCall, found: string): Verdict =>
  invalid(`the acknowledged content of ${file.name} was lost`, [describe(write), found]);

const describeRead = ({ call, operation, invokedMs }: NfsCall): string =>
  `${seconds(invokedMs)}: ${operation.kind} of ${operation.file} by ${operation.consumer} (call ${call})`;

const describe = (call: NfsCall): string =>
  `${seconds(call.completion?.atMs ?? call.invokedMs)}: ${call.operation.kind} of ${call.operation.file} by ` +
  `${call.operation.consumer} acknowledged (call ${call.call}, ${call.completion?.sha256 ?? digest(call)})`;
