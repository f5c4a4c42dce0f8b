// Clients at work: carries out what the generators of a workload say, at its
// rate, whatever becomes of the calls, until it is told to stop.

import type { Clock } from '../base/clock.ts';
import { createSeededRandom } from '../base/random.ts';
import type { Clients } from './clients.ts';
import type { Journal } from './journal.ts';
import type { TopologyNode } from './topology.ts';
import type { Traffic } from './traffic.ts';
import type { WorkCall } from './workload/call.ts';
import { type Client, clientOf, closing } from './workload/client.ts';
import type { Outlook } from './workload/kinds.ts';
import { type Knowledge, type KnownVolume, learn, NOTHING, type WorkAnswer } from './workload/knowledge.ts';
import type { Workload } from './workload/spec.ts';

/** A client doesn't wait for what has long become of no use to it. */
const CALL_TIMEOUT_MS = 5_000;
/** Calls that are later than this, because no client was free, are left out. */
const LATEST_MS = 2_000;
/** How long the drains that are left may take to be ended. */
const CLOSING_MS = 20_000;
const CLOSING_PAUSE_MS = 200;

export interface WorkloadOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly clients: Clients;
  readonly signal: AbortSignal;
  /** Of its processes: `work 1`, `work 2`. */
  readonly name: string;
  readonly workload: Workload;
  readonly seed: number;
  readonly nodes: readonly Pick<TopologyNode, 'name' | 'labels'>[];
  /** Each consumer's address, by name. */
  readonly consumers: ReadonlyMap<string, string>;
  /** Where the consumer has the volume mounted; null while it has not. */
  readonly serverOf: (consumer: string, volume: KnownVolume) => string | null;
}

/** When it ends, the drains that its clients began are ended, too. */
export function startWorkload(options: WorkloadOptions): Traffic {
  const { clock, journal, signal, name, workload } = options;
  journal.record({ type: 'workload', phase: 'begin', name, workload });
  const startedMs = clock.monotonicMs();
  let ended = false;
  let taken = 0;
  /** Milliseconds until the next call of all is due. All clients take from one plan, so that a slow call delays no other. */
  const nextInMs = (): number => {
    const elapsedMs = clock.monotonicMs() - startedMs;
    const latest = Math.floor(((elapsedMs - LATEST_MS) * workload.ratePerSecond) / 1000);
    taken = Math.max(taken + 1, latest);
    return (taken * 1000) / workload.ratePerSecond - elapsedMs;
  };
  const stopped = new AbortController();
  const either = AbortSignal.any([signal, stopped.signal]);
  const loop = async (index: number): Promise<void> => {
    const process = createProcess(options, index);
    while (!ended && !signal.aborted) {
      const waitMs = nextInMs();
      if (waitMs > 0) await clock.sleep(waitMs, either).catch(() => undefined);
      if (ended || signal.aborted || (await process.step()) === 'done') return;
    }
  };
  let failure: unknown;
  const running = Promise.all(Array.from({ length: workload.clients }, (_, index) => loop(index))).catch(
    (error: unknown) => {
      failure = error;
      ended = true;
    },
  );
  const end = async (): Promise<void> => {
    ended = true;
    stopped.abort();
    await running;
    journal.record({ type: 'workload', phase: 'end', name, workload });
    if (failure !== undefined) throw failure;
    // An interrupted run is judged by nobody, and its cluster goes.
    if (workload.mix.drain !== undefined && !signal.aborted) await undrainAll(options);
  };
  let ending: Promise<void> | undefined;
  return {
    end: () => {
      ending ??= end();
      return ending;
    },
  };
}

/** One process: it does a call after the other and knows what it was told. */
function createProcess(
  options: WorkloadOptions,
  index: number,
  begins?: { readonly client: Client; readonly known: Knowledge },
) {
  const { journal, name, workload, nodes, consumers } = options;
  const process = `${name} ${index + 1}`;
  const random = createSeededRandom(options.seed + index);
  const [consumer, own] = [...consumers][index % Math.max(1, consumers.size)] ?? [];
  let client = begins?.client ?? clientOf(workload);
  let known = begins?.known ?? NOTHING;
  const outlook = (): Outlook => ({
    workload,
    known,
    client: process,
    nowMs: journal.atMs(),
    nodes: nodes.map((node) => node.name),
    labels: nodes.map(({ labels }) => labels),
    consumers: [...consumers.values()],
    own,
    serverOf: (volume) => (consumer === undefined ? null : options.serverOf(consumer, volume)),
  });
  const step = async (): Promise<'called' | 'wait' | 'done'> => {
    const next = client(outlook(), random);
    if (typeof next === 'string') return next;
    client = next.rest;
    const answer = await carryOut(options, { process, consumer, call: next.call });
    known = learn(known, { call: next.call, answer, atMs: journal.atMs() });
    return 'called';
  };
  return { step };
}

async function carryOut(
  { clients }: WorkloadOptions,
  what: { readonly process: string; readonly consumer: string | undefined; readonly call: WorkCall },
): Promise<WorkAnswer> {
  const { process, consumer, call } = what;
  const timeoutMs = CALL_TIMEOUT_MS;
  if (call.kind === 'http') {
    const { status, body, etag } = await clients.http({ process, ...call, timeoutMs });
    return { kind: 'http', status, body, ...(etag !== undefined && { etag }) };
  }
  const { server, volume, file, bytes } = call;
  const { outcome } = await clients.file({
    process,
    kind: call.kind,
    consumer: consumer ?? '',
    server,
    volume,
    file,
    timeoutMs,
    // Another content each time, so that an old one is told from a new one.
    ...(bytes !== undefined && {
      content: { name: `${process}/${volume}/${file}/${clients.count()}`, bytes },
    }),
  });
  return { kind: 'nfs', outcome };
}

/** Clients may have forgotten which nodes they drained, so every node is told. */
async function undrainAll(options: WorkloadOptions): Promise<void> {
  const { clock, nodes, signal, workload } = options;
  const client = {
    client: closing,
    known: { ...NOTHING, draining: new Set(nodes.map((node) => node.name)) },
  };
  const process = createProcess(options, workload.clients, client);
  const deadlineMs = clock.monotonicMs() + CLOSING_MS;
  while (clock.monotonicMs() < deadlineMs && (await process.step()) !== 'done') {
    await clock.sleep(CLOSING_PAUSE_MS, signal);
  }
}
