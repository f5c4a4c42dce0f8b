// Every fault that the script asked for has bitten, was seen to, and nothing of it is left.
//
// Assumes that the nemesis records each phase (faults/nemesis.ts). Never invalid: a
// fault that could not be had, or was not seen, leaves the other verdicts without
// what they are to be reached under.

import { describeFault } from '../faults/catalogue.ts';
import type { Check, NemesisEvent } from '../history.ts';
import { answersOf, count, seconds } from './verdict.ts';

const { valid, unknown } = answersOf('faults');

type Phase = NemesisEvent['phase'];

export const faults: Check = (run) => {
  const byId = new Map<string, NemesisEvent[]>();
  for (const event of run.history) {
    if (event.type === 'nemesis') byId.set(event.id, [...(byId.get(event.id) ?? []), event]);
  }
  if (byId.size === 0) return unknown('no fault was injected');
  const ills = [...byId.values()].flatMap((events) => {
    const ill = illOf(events);
    return ill === undefined ? [] : [{ ill, lines: events.map(describe) }];
  });
  const [first] = ills;
  if (first === undefined) return valid(`${count(byId.size, 'fault')} bit and healed`);
  return unknown(
    `${ills.length} of ${count(byId.size, 'fault')}: ${first.ill}`,
    ills.flatMap(({ lines }) => lines),
  );
};

/** What its life lacks. */
function illOf(events: readonly NemesisEvent[]): string | undefined {
  const [{ id, fault }] = events as [NemesisEvent];
  const name = `${describeFault(fault)} (${id})`;
  const lacking = events.find(({ phase }) => phase === 'unavailable');
  if (lacking !== undefined) return `${name} can't be had here: ${lacking.evidence}`;
  const has = (phase: Phase): boolean => events.some((event) => event.phase === phase);
  if (!has('shown')) return `${name} was not seen to bite`;
  if (!has('heal')) return `${name} was never healed`;
  return has('healed') ? undefined : `${name} was not seen to be gone after it was healed`;
}

const describe = ({ atMs, phase, id, members, evidence }: NemesisEvent): string =>
  `${seconds(atMs)}: ${phase} ${id}${members.length > 0 ? ` at ${members.join(', ')}` : ''}${evidence === undefined ? '' : `: ${evidence}`}`;
