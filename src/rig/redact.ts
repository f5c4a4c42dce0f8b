// What a run's record must not hold. Records are kept, shown and passed on, so
// that a secret which got into one would be one no longer. They go through here
// on their way to the disk, all of them, whoever recorded them.

import { SECRET_KEY, SUBSCRIPTIONS_PREFIX } from '../kv/keys.ts';
import type { EtcdEvent, HistoryEvent } from './history.ts';

/** In the place of every secret. Equal for all: not even whether two are the same is told. */
const REDACTED = '(redacted)';

/** The event without the cluster's secret and those of subscriptions; its other fields as they are. */
export function redactedEtcdEvent(event: EtcdEvent): EtcdEvent {
  return event.value === undefined ? event : { ...event, value: redactedValue(event.key, event.value) };
}

/** As {@link redactedEtcdEvent}: what etcd held at the end, and what clients sent and were answered. */
export function redactedHistoryEvent(event: HistoryEvent): HistoryEvent {
  if (event.type === 'final-state') {
    const keys = Object.entries(event.keys).map(([key, value]) => [key, redactedValue(key, value)]);
    return { ...event, keys: Object.fromEntries(keys) };
  }
  if (event.type !== 'call') return event;
  const { operation, body } = event;
  return {
    ...event,
    operation:
      operation.kind === 'http' && operation.body !== undefined
        ? { ...operation, body: withoutSecrets(operation.body) }
        : operation,
    ...(body !== undefined && { body: withoutSecrets(body) }),
  };
}

function redactedValue(key: string, value: string): string {
  if (key === SECRET_KEY) return JSON.stringify(REDACTED);
  if (!key.startsWith(SUBSCRIPTIONS_PREFIX)) return value;
  try {
    return JSON.stringify(withoutSecrets(JSON.parse(value)));
  } catch {
    // Half a value may hold the secret just as well.
    return JSON.stringify(REDACTED);
  }
}

/** The same value where there is nothing to leave out, which is nearly always. */
const withoutSecrets = (value: unknown): unknown => (hasSecret(value) ? redacted(value) : value);

function hasSecret(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasSecret);
  for (const name of Object.keys(value)) {
    if (name === 'secret' || hasSecret((value as Readonly<Record<string, unknown>>)[name])) return true;
  }
  return false;
}

/** Every field called `secret`, at any depth. */
function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, name === 'secret' ? REDACTED : redacted(field)]),
  );
}
