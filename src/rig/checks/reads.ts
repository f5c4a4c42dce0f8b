// Which reads through NFS tell what a volume holds: those that found a file, and those
// that found none in a volume which was theirs to look into.
//
// Assumes that where an export comes or goes a client may be left with the folder that it
// hangs in, which is empty: then, and where part of etcd's history is missing, that
// nothing was found tells nothing.

import type { RecordedRun } from '../history.ts';
import type { Call, NfsOperation } from './calls.ts';
import { createDebts } from './standings.ts';

type NfsCall = Call<NfsOperation>;

/** The read found no such file. */
export const isAbsence = ({ completion }: NfsCall): boolean =>
  completion?.phase === 'fail' && completion.absent === true;

export function readsThatTell(run: RecordedRun): (read: NfsCall) => boolean {
  const owedBy = createDebts(run);
  return (read) =>
    read.completion?.phase === 'ok' || (isAbsence(read) && run.etcdComplete && owedBy(read) !== undefined);
}
