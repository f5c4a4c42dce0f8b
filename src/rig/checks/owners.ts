// Files belong to whom the rules make of the user who wrote them: squash `none` leaves
// users as they are, `root` makes nobody of root, and `all` of everybody.
//
// Assumes that nothing but its first write decides whose a file is, and that an agent
// has applied the rules or is about to. So a file is judged where all that may have
// written it first were the same user by every rule that may have held meanwhile. One
// of a clone may have been its parent's.

import type { RecordedRun } from '../history.ts';
import { type Call, endedMs, type NfsOperation, nfsCalls } from './calls.ts';
import { ruleFor } from './exports.ts';
import { FINAL_LABEL, inventoriesOf } from './final.ts';
import { countFirst } from './sorted.ts';
import { seconds } from './verdict.ts';
import { type VolumeStep, volumeSteps } from './volume-history.ts';

const ROOT = 0;
const NOBODY = 65_534;
/** The rig may see a commit a little after those whom it concerns. */
const SEEN_WITHIN_MS = 2_000;

export interface Owners {
  /** Files whose owner was judged. */
  readonly judged: number;
  readonly wrong: { readonly reason: string; readonly lines: readonly string[] } | undefined;
}

export function ownersOf(run: RecordedRun): Owners {
  const steps = Map.groupBy(volumeSteps(run), ({ id }) => id);
  const writes = Map.groupBy(
    nfsCalls(run).filter(
      ({ operation, completion }) => operation.kind === 'nfs-write' && completion?.phase !== 'fail',
    ),
    ({ operation }) => `${operation.volume}/${operation.file}`,
  );
  let judged = 0;
  for (const [node, { volumes }] of inventoriesOf(run, FINAL_LABEL)) {
    for (const { id, files, owners } of volumes) {
      const life = steps.get(id) ?? [];
      if (owners === undefined || life.some(({ after }) => after?.control.parent_id != null)) continue;
      for (const file of Object.keys(files)) {
        const all = writes.get(`${id}/${file}`) ?? [];
        const expected = new Set(all.flatMap((call) => usersFor(run, call, life)));
        const [user] = expected;
        if (user === undefined || expected.size > 1) continue;
        judged += 1;
        const owner = owners[file] ?? ROOT;
        if (owner === user) continue;
        return {
          judged,
          wrong: {
            reason: `${id}/${file} on ${node} belongs to user ${owner}, by its rules it is user ${user}'s`,
            lines: all.map(describe),
          },
        };
      }
    }
  }
  return { judged, wrong: undefined };
}

/** Whom the server may have taken the caller for, by the rules that may have held during the call. */
function usersFor(
  run: RecordedRun,
  call: Call<NfsOperation>,
  life: readonly VolumeStep[],
): readonly number[] {
  const { consumer, uid = ROOT } = call.operation;
  const address = run.consumers[consumer];
  if (address === undefined) return [];
  const begun = countFirst(life, ({ event }) => event.atMs <= call.invokedMs);
  const ended = countFirst(life, ({ event }) => event.atMs <= endedMs(call) + SEEN_WITHIN_MS);
  const users = life
    .slice(Math.max(0, begun - 1), ended)
    .flatMap(({ after }) => [after?.exports, after?.actual?.exports])
    .flatMap((rules) => ruleFor(rules ?? [], address) ?? [])
    .map(({ squash }) => (squash === 'all' || (squash === 'root' && uid === ROOT) ? NOBODY : uid));
  return [...new Set(users)];
}

const describe = ({ invokedMs, operation, call }: Call<NfsOperation>): string =>
  `${seconds(invokedMs)}: ${operation.consumer} writes it as user ${operation.uid ?? ROOT} (call ${call})`;
