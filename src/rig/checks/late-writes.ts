// When a write whose outcome nobody knows can do nothing more to its file.
//
// Assumes that its client is gone, and its connection with it, once the call had lasted twice as
// long as it did, unless the consumer was disturbed meanwhile: whether the consumer has answered or
// the rig waited for it in vain, it gives each of a write's two parts less time than that. What was
// sent may still be on its way, or wait in the server, which takes nothing more from a client that it
// has not heard of for a lease (5 s, images/node/ganesha.conf); twice that leaves it time to finish
// what it has begun. No time counts in which a node, or the consumer, was disturbed: it may have been
// frozen with all that in its hands.

import type { RecordedRun } from '../history.ts';
import type { Call, NfsOperation } from './calls.ts';
import { disturbed, outages } from './outages.ts';
import { workClockOf } from './work-clock.ts';

const OVER_AFTER_MS = 10_000;

/** Answers whether that is so for the write by then; never for one that did not end. */
export type Bound = (write: Call<NfsOperation>, byMs: number) => boolean;

export function createBound(run: RecordedRun): Bound {
  const clock = workClockOf(run);
  const nodes: ReadonlySet<string> = new Set(run.topology.nodes.map(({ name }) => name));
  const whole = outages(run).filter(({ role }) => role === undefined);
  return ({ completion, operation, invokedMs }, byMs) => {
    // A kernel goes on with what it was given for as long as the volume is mounted.
    if (completion === undefined || operation.through === 'kernel') return false;
    const endedMs = completion.atMs;
    const ofConsumer = whole.filter(({ container }) => container === operation.consumer);
    if (disturbed({ fromMs: invokedMs, toMs: endedMs }, ofConsumer)) return false;
    const disturbing = [...ofConsumer, ...whole.filter(({ container }) => nodes.has(container))];
    const goneMs = endedMs + (endedMs - invokedMs);
    return clock.workedMs({ fromMs: goneMs, toMs: byMs }, disturbing) >= OVER_AFTER_MS;
  };
}
