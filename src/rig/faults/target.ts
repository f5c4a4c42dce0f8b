// Whom people mean by a word: `node1`, `leader`, `etcd-one`, `node1/engine`, `one/agent`. Pure.

import { RigError } from '../../base/errors.ts';
import { ROLES, type Role } from '../../model/volume.ts';
import { describeDraws, type Selector } from './select.ts';

export interface TargetText {
  readonly on: string;
  /** Only that role's process, instead of the whole member. */
  readonly role?: Role;
}

/** Of what {@link parseTarget} reads. */
export const TARGETS = `a member's name or one of ${describeDraws()}; /api, /engine or /agent behind it means that role alone`;

/** Throws `invalid` for a role that there is not. */
export function parseTarget(text: string): TargetText {
  const [on = '', role, ...rest] = text.split('/');
  if (role === undefined) return { on: etcdAll(on) };
  const known = ROLES.find((one) => one === role);
  if (known !== undefined && rest.length === 0 && on !== '') return { on, role: known };
  throw new RigError('invalid', `'${text}' is no role of a node`, {
    next: `Give a node and one of ${ROLES.join(', ')}, such as node1/engine or leader/engine.`,
  });
}

/** `a,b` is both. */
export function parseSelector(text: string): Selector {
  const names = text.split(',').map(etcdAll);
  return names.length === 1 ? (names[0] as string) : names;
}

/** `etcd` is all of it, also where its members are called etcd1 and so on. */
const etcdAll = (name: string): string => (name === 'etcd' ? 'etcd-all' : name);
