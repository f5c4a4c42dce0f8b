// Faults of the catalogue as a test handles them: what a script's verdict would turn on is thrown here.

import { RigError } from '../base/errors.ts';
import { createSerial } from '../base/serial.ts';
import { faultOf } from '../rig/faults/catalogue.ts';
import { createNemesis } from '../rig/faults/nemesis.ts';
import { checkFault } from '../rig/faults/parse.ts';
import type { FaultSpec } from '../rig/faults/spec.ts';
import type { NemesisEvent } from '../rig/history.ts';
import { createSite } from '../rig/site.ts';
import { createNames, type Stage } from '../rig/stage.ts';

export interface InjectedFault extends AsyncDisposable {
  readonly fault: FaultSpec;
  /** Who was chosen to be hit. */
  readonly members: readonly string[];
  /** What was seen of it. */
  readonly evidence: string;
  /** Resolves once nothing of it is left to see; throws `timeout` when something is. Idempotent. */
  heal(): Promise<void>;
}

export interface Injection {
  inject(fault: FaultSpec): Promise<InjectedFault>;
  /** All of them, and then throws as `heal` does. */
  healAll(): Promise<void>;
}

export function createInjection(stage: Stage): Injection {
  // Volumes go by their ids: a test has no names of its own for them.
  const site = createSite(stage, { ...createNames(stage), idOf: (id) => id });
  /** Of the fault that is being injected or healed. */
  let phases: NemesisEvent[] = [];
  let unseen: string | undefined;
  const nemesis = createNemesis(site, (event) => {
    stage.journal.record(event);
    if (event.type === 'expectation') unseen ??= `${event.what}: ${event.seen}`;
    else phases.push({ ...event, atMs: stage.journal.atMs() });
  });
  let count = 0;

  /** One at a time: what is seen meanwhile is of that one. */
  const inTurn = createSerial();
  const doing = (work: () => Promise<void>): Promise<Seen> =>
    inTurn(async () => {
      phases = [];
      unseen = undefined;
      await work();
      return { last: phases.at(-1), unseen };
    });

  const heal = async (id: string): Promise<void> => {
    const { unseen: left } = await doing(() => nemesis.heal(id));
    if (left !== undefined) throw notSeen(left);
  };

  return {
    inject: async (given) => {
      const fault = checkFault(given);
      count += 1;
      const id = `fault ${count}`;
      const { last, unseen: missed } = await doing(() => nemesis.inject(id, fault));
      if (last?.phase === 'unavailable') {
        const what = faultOf(fault).describe(fault);
        throw new RigError('unsupported', `${what} can't be had here: ${last.evidence}`);
      }
      if (missed !== undefined) {
        await doing(() => nemesis.heal(id));
        throw notSeen(missed);
      }
      return {
        fault: last?.fault ?? fault,
        members: last?.members ?? [],
        evidence: last?.evidence ?? 'hidden by other faults',
        heal: () => heal(id),
        [Symbol.asyncDispose]: () => heal(id),
      };
    },
    healAll: async () => {
      const { unseen: left } = await doing(nemesis.healAll);
      if (left !== undefined) throw notSeen(left);
    },
  };
}

interface Seen {
  /** Where it has come to. */
  readonly last: NemesisEvent | undefined;
  /** What should have shown, and did not. */
  readonly unseen: string | undefined;
}

const notSeen = (what: string): RigError =>
  new RigError('timeout', `it was not seen that ${what}`, { definite: false });
