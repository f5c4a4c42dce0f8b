// One attempt at a callback: what is sent, how it is signed, and what the answer means.

import type { Clock } from '../../../base/clock.ts';
import { hmacSha256, sha256 } from '../../../base/digest.ts';
import { hasCode } from '../../../base/errors.ts';
import type { ClusterEvent } from '../../../model/event.ts';
import {
  type CallbackBody,
  EVENT_HEADER,
  isForbiddenAddress,
  isOwnAddress,
  SIGNATURE_HEADER,
  type Subscription,
} from '../../../model/subscription.ts';
import type { Network } from '../../../network/network.ts';

/** Of one attempt, all told. */
const ATTEMPT_TIMEOUT_MS = 5000;

const DIGEST_DIGITS = 8;

/** An event and its place in its revision, which together are known by one id for ever. */
export interface Sendable {
  readonly event: ClusterEvent;
  readonly index: number;
}

/**
 * `gone`: the consumer doesn't want any more. `failed` says of what class, and no more: whoever may order
 * callbacks is not to explore the cluster's network with them.
 */
export type Attempt =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'gone' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly message: FailureClass };

export type FailureClass = `status ${number}` | 'timeout' | 'refused' | 'unreachable';

export interface SendOptions {
  readonly network: Network;
  readonly clock: Clock;
  readonly subscription: Subscription;
  readonly sendable: Sendable;
  /** Whether callbacks may lead to this very host. Default: false. */
  readonly loopback?: boolean;
  readonly signal: AbortSignal;
}

/**
 * `<revision>.<index>.<digest>`: the same whoever sends it, and however often. The digest is of the event:
 * a store that was restored from a backup gives its revisions out again, to other events.
 */
export function eventIdOf({ event, index }: Sendable): string {
  const digest = sha256(JSON.stringify(event)).slice(0, DIGEST_DIGITS);
  return `${event.revision}.${event.kind === 'reset' ? 'reset' : index}.${digest}`;
}

/** Never rejects. */
export async function sendOnce(options: SendOptions): Promise<Attempt> {
  const { network, clock, subscription, signal, loopback = false } = options;
  const { url } = subscription;
  const late = new AbortController();
  const cancel = clock.after(ATTEMPT_TIMEOUT_MS, () => late.abort());
  try {
    const answer = await network.call({
      method: 'POST',
      url,
      ...signed(options),
      timeoutMs: ATTEMPT_TIMEOUT_MS,
      // A name may lead anywhere by now.
      refuses: (address) => isForbiddenAddress(address) || (!loopback && isOwnAddress(address)),
      signal: AbortSignal.any([signal, late.signal]),
    });
    if (answer.status >= 200 && answer.status < 300) return { kind: 'delivered' };
    if (answer.status === 410) return { kind: 'gone' };
    return { kind: 'failed', message: `status ${answer.status}` };
  } catch (error) {
    if (signal.aborted) return { kind: 'stopped' };
    if (late.signal.aborted || hasCode(error, 'timeout')) return { kind: 'failed', message: 'timeout' };
    return { kind: 'failed', message: isConnectionRefused(error) ? 'refused' : 'unreachable' };
  } finally {
    cancel();
  }
}

/** Signed anew for each attempt, so that a receiver may refuse what is old. */
function signed({ clock, subscription, sendable }: SendOptions) {
  const id = eventIdOf(sendable);
  const content: CallbackBody = { id, subscription: subscription.id, event: sendable.event };
  const body = JSON.stringify(content);
  const seconds = Math.floor(clock.nowMs() / 1000);
  const signature = hmacSha256(subscription.secret, `${seconds}.${body}`);
  return {
    body,
    headers: {
      'content-type': 'application/json',
      [EVENT_HEADER]: id,
      [SIGNATURE_HEADER]: `t=${seconds},v1=${signature}`,
    },
  };
}

/** A name may have several addresses, all of which were then tried. */
function isConnectionRefused(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}
