// What is wrong with a cluster, in a line each: that nobody leads, and who is down.

import { fitted } from './fitted.ts';

export interface Member {
  readonly member: string;
  readonly state: string;
  /** Of a node that runs: what is there of it, and what that does. */
  readonly roles: Readonly<Record<string, string>>;
  /** Whether its engine leads, by etcd. */
  readonly leads: boolean;
  readonly url: string | null;
}

export interface Looked {
  readonly members: readonly Member[];
  /** The node whose engine leads, by etcd; it need not be a member. Null: none, or nobody can say. */
  readonly leader: string | null;
  /** Why nobody can say who leads; null when somebody can. */
  readonly etcd: string | null;
}

/** Lines for a terminal; none for a cluster that is well. */
export function notesOf(looked: Looked, columns?: number): readonly string[] {
  const lines = [leaderNote(looked), ...standstill(looked.members)];
  return lines.flatMap((line) => (line === undefined ? [] : [fitted(line, '  ', columns)]));
}

function leaderNote({ members, leader, etcd }: Looked): string | undefined {
  if (etcd !== null) return `etcd does not say who leads: ${etcd}`;
  if (leader === null) {
    const engines = members.filter(({ roles }) => roles.engine === 'running').map(({ member }) => member);
    const why = engines.length === 0 ? 'no engine runs' : `none of ${engines.join(', ')} is elected yet`;
    return `nobody leads: ${why}`;
  }
  const found = members.find(({ member }) => member === leader);
  if (found === undefined) return undefined;
  const { state, roles } = found;
  const does = state === 'running' ? roles.engine : state;
  // Of one that runs and tells of no roles nobody knows.
  if (does === 'running' || (Object.keys(roles).length === 0 && state === 'running')) return undefined;
  const how = does === 'frozen' ? 'is frozen' : 'is down';
  return `nobody leads: the engine of ${leader} did and ${how}; another is elected once its lease has run out`;
}

function standstill(members: readonly Member[]): readonly string[] {
  const down = members.filter(({ state }) => !['running', 'frozen'].includes(state));
  const frozen = members.flatMap(({ member, state, roles }) =>
    state === 'frozen'
      ? [member]
      : Object.keys(roles).flatMap((role) => (roles[role] === 'frozen' ? [`${member}/${role}`] : [])),
  );
  const parts = [
    ...(down.length === 0 ? [] : [`down: ${down.map(({ member }) => member).join(', ')}`]),
    ...(frozen.length === 0 ? [] : [`frozen: ${frozen.join(', ')}`]),
  ];
  return parts.length === 0 ? [] : [parts.join('; ')];
}
