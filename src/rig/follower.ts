// A consumer that follows the cluster's events, and knows from them alone where
// its volumes are. It listens to one API after the other: where one goes away
// it goes on at the next, from the last event that it has heard.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Deployment } from './deployment.ts';
import type { ToldEvent } from './history.ts';
import { type Instruction, instructionsIn } from './instructions.ts';
import type { Journal } from './journal.ts';
import { serverSentEvents } from './sse.ts';

/** Before it asks the next API. */
const RECONNECT_MS = 100;
/** An API that doesn't even begin to answer for so long is given up. */
const OPEN_TIMEOUT_MS = 5_000;

/** An instruction, and when it came. */
export interface Told extends Instruction {
  readonly atMs: number;
}

export interface Follower {
  /** Resolves once the first stream is open: what is committed from then on is told. */
  readonly opened: Promise<void>;
  readonly told: readonly Told[];
  /**
   * Where the consumer has the volume mounted: where it was told last; before anything was told,
   * `otherwise`, which is then what it has mounted. Null when it was told to unmount it.
   */
  serverOf(volume: string, otherwise: string): string | null;
  end(): Promise<void>;
}

export function startFollower(options: {
  readonly clock: Clock;
  readonly journal: Pick<Journal, 'atMs' | 'record'>;
  readonly deployment: Pick<Deployment, 'api' | 'fetch'>;
  readonly consumer: string;
  /** Its IP address: which of the events' instructions are for it. */
  readonly address: string;
  /** The nodes whose APIs it asks, the first one first. */
  readonly nodes: readonly string[];
  /** Given each instruction as it comes. Default: nobody is. */
  readonly onTold?: (told: Told) => void;
}): Follower {
  const { clock, journal, deployment, consumer, address, nodes, onTold } = options;
  const hangUp = new AbortController();
  const told: Told[] = [];
  const mounts = new Map<string, string | null>();
  const first = Promise.withResolvers<void>();
  let lastEventId: string | undefined;

  const record = (phase: 'open' | 'lost' | 'end', node: string, error?: string): void =>
    journal.record({
      type: 'follow',
      phase,
      consumer,
      node,
      ...(lastEventId !== undefined && { lastEventId }),
      ...(error !== undefined && { error }),
    });

  const listen = async (node: string): Promise<void> => {
    const stream = await open({ clock, deployment, node, lastEventId, signal: hangUp.signal });
    record('open', node);
    first.resolve();
    for await (const { id, event, data } of serverSentEvents(stream)) {
      if (data !== undefined) hear(node, { event, data: parseData(data), ...(id !== undefined && { id }) });
      // Last: only a consumer that has acted on an event may go on after it.
      lastEventId = id ?? lastEventId;
    }
  };

  const hear = (node: string, heard: Pick<ToldEvent, 'id' | 'event' | 'data'>): void => {
    journal.record({ type: 'told', consumer, node, ...heard });
    for (const instruction of instructionsIn(heard.data, address)) {
      const now = { ...instruction, atMs: journal.atMs() };
      told.push(now);
      onTold?.(now);
      mounts.set(instruction.volume, instruction.server);
    }
  };

  const loop = async (): Promise<void> => {
    for (let turn = 0; !hangUp.signal.aborted; turn += 1) {
      const node = nodes[turn % nodes.length] ?? '';
      try {
        await listen(node);
        record('lost', node);
      } catch (error) {
        if (hangUp.signal.aborted) return record('end', node);
        record('lost', node, RigError.from(error).message);
      }
      await clock.sleep(RECONNECT_MS, hangUp.signal).catch(() => undefined);
    }
  };
  let failure: unknown;
  const running = loop().catch((error: unknown) => {
    failure = error;
    first.reject(error);
  });

  return {
    opened: first.promise,
    told,
    serverOf: (volume, otherwise) => {
      const known = mounts.get(volume);
      if (known !== undefined) return known;
      mounts.set(volume, otherwise);
      return otherwise;
    },
    end: async () => {
      hangUp.abort();
      await running;
      if (failure !== undefined) throw failure;
    },
  };
}

/** The body of an answer that never ends by itself. Throws `unavailable` for any other answer. */
async function open(options: {
  readonly clock: Clock;
  readonly deployment: Pick<Deployment, 'api' | 'fetch'>;
  readonly node: string;
  readonly lastEventId: string | undefined;
  readonly signal: AbortSignal;
}): Promise<AsyncIterable<Uint8Array>> {
  const { clock, deployment, node, lastEventId, signal } = options;
  const patience = new AbortController();
  const relent = clock.after(OPEN_TIMEOUT_MS, () => patience.abort());
  try {
    const response = await deployment.fetch(`${await deployment.api(node)}/events`, {
      headers: {
        accept: 'text/event-stream',
        ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
      },
      signal: AbortSignal.any([signal, patience.signal]),
    });
    if (response.status === 200 && response.body !== null) return response.body;
    throw new RigError('unavailable', `${node} answers /events with ${response.status}`);
  } finally {
    relent();
  }
}

function parseData(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
