// What the roles' processes of a node do, by what ps says of them.

import { ROLES, type Role } from '../../model/volume.ts';
import type { ExecResult } from '../deployment.ts';
import { rolePattern } from '../faults/acts.ts';

/** Lists processes with their states, for {@link rolesIn}. */
export const LIST_PROCESSES = ['ps', '-eo', 'stat=,args='] as const;

export type RoleState = 'running' | 'frozen';

/** Those that are there; none where ps could not be asked. Pure. */
export function rolesIn({ exitCode, stdout }: ExecResult): ReadonlyMap<Role, RoleState> {
  const lines = exitCode === 0 ? stdout.split('\n') : [];
  return new Map(
    ROLES.flatMap((role) => {
      const line = lines.find((one) => new RegExp(rolePattern(role)).test(one.trimEnd()));
      // A zombie acts no more; only its parent has not asked yet.
      if (line === undefined || line.startsWith('Z')) return [];
      return [[role, line.startsWith('T') ? 'frozen' : 'running'] as const];
    }),
  );
}
