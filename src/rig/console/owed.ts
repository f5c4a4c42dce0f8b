// What is to be undone, and by which order: faults that are on record, and whatever else is down or frozen.

import { describeFault } from '../faults/catalogue.ts';
import type { Hit } from '../faults/fault.ts';
import { sentenceOf } from '../faults/sentence.ts';
import type { Item, OwedItem } from './items.ts';
import type { SeenMember } from './view.ts';

export function owedItems(hits: readonly Hit[], members: readonly SeenMember[]): Record<string, Item> {
  const faults = hits.map(({ id, spec, members: hit }): OwedItem => {
    const what = sentenceOf({ fault: describeFault(spec), members: hit });
    return { is: 'owed', id, what, members: hit, undo: { do: 'heal', ids: [id] } };
  });
  // What a fault did, its healing undoes.
  const isHit = new Set(hits.flatMap(({ members: hit }) => hit));
  const others = members.filter(({ name }) => !isHit.has(name)).flatMap(broken);
  const all = [...faults, ...others].map((item) => [`owed:${item.id ?? `/${item.what}`}`, item] as const);
  return Object.fromEntries(all);
}

function broken({ name, state, roles }: SeenMember): readonly OwedItem[] {
  const owed = (what: string, act: string, to: string): OwedItem => ({
    ...{ is: 'owed', id: null, what, members: [name] },
    undo: { do: act, to: [to] },
  });
  if (state === 'frozen') return [owed(`${name} is frozen`, 'resume', name)];
  if (state === 'down') return [owed(`${name} is down`, 'start', name)];
  return Object.entries(roles).flatMap(([role, does]) =>
    does === 'frozen' ? [owed(`${role} of ${name} is frozen`, 'resume', `${name}/${role}`)] : [],
  );
}
