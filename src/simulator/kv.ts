// A client of the simulated etcd, as kv/etcd.ts is one of a real one: deadlines,
// the member that last worked first, reads tried at each, writes sent once, and
// streams that are given up when their member is silent.

import { abortError } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Exchange, Message, Wires } from '../hardware/wires.ts';
import type { Kv, WatchBatch, WatchOptions } from '../kv/kv.ts';
import type { SimulatedEtcd } from './etcd.ts';
import { createInbox, type Inbox } from './inbox.ts';
import { MESSAGE_BYTES, serveWatch } from './kv-watch.ts';
import { doneBy, type Process } from './process.ts';

/** As kv/etcd.ts has them by default. */
const REQUEST_TIMEOUT_MS = 1_500;
const KEEPALIVE_MS = 6_000;
export interface KvOptions {
  readonly process: Process;
  /** Undefined: a client beside the cluster, whose packets no link carries. */
  readonly host: string | undefined;
  /** Names of members, the preferred one first. */
  readonly members: readonly string[];
  readonly etcd: SimulatedEtcd;
  readonly wires: Wires;
}

type Stream = Pick<Inbox<WatchBatch>, 'next' | 'end'>;

interface Ends<T> {
  readonly onAnswer: (value: T) => void;
  readonly onFailure: (error: unknown) => void;
}

interface UnaryCall<T> {
  readonly what: string;
  readonly write: boolean;
  readonly effect: (kv: Kv) => Promise<T>;
}

export function createSimulatedKv(options: KvOptions): Kv {
  const { process, etcd } = options;
  const { clock } = process;
  const closing = new AbortController();
  /** Open watches, and at which member. */
  const streams = new Map<Stream, string>();
  /** Members with an open connection. */
  const connected = new Set<string>();
  let preferred = 0;
  let isProbing = false;

  const refuseIfClosed = (): void => {
    if (closing.signal.aborted) throw new RigError('aborted', 'the etcd client was closed');
  };
  /** From each member on, all of them. */
  const orders = options.members.map((_, first) => [
    ...options.members.slice(first),
    ...options.members.slice(0, first),
  ]);
  const inOrder = (): readonly string[] => orders[preferred] ?? [];
  const worked = (member: string): void => {
    preferred = options.members.indexOf(member);
  };
  const suspect = (member: string): void => {
    connected.delete(member);
    if (options.members[preferred] === member) preferred = (preferred + 1) % options.members.length;
  };

  /**
   * There and back, as `begin` has it: it is given what ends the exchange. Rejects with `timeout` after so long; what
   * is under way then may still arrive.
   */
  const exchange = <T>(
    member: string,
    ms: number,
    begin: (exchange: Exchange, end: Ends<T>) => void,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const state: Exchange = { over: false };
      const cancel = clock.after(ms, () => {
        state.over = true;
        reject(
          new RigError('timeout', `${member} did not answer within ${Math.round(ms)} ms`, {
            definite: false,
          }),
        );
      });
      const settle = (end: () => void): void =>
        process.enter(() => {
          state.over = true;
          cancel();
          end();
        });
      begin(state, {
        onAnswer: (value) => settle(() => resolve(value)),
        onFailure: (error) => settle(() => reject(error)),
      });
    });
  const host = options.host ?? '';
  const messageOf = ({ from, to, isEmpty = false }: Pick<Message, 'from' | 'to' | 'isEmpty'>): Message => ({
    from,
    to,
    isEmpty,
    bytes: MESSAGE_BYTES,
    opener: host,
  });
  const carry = (message: Pick<Message, 'from' | 'to' | 'isEmpty'>, state: Exchange): Promise<void> =>
    options.wires.carry(messageOf(message), state);

  const isUp = (member: string): boolean => etcd.members.get(member)?.isUp === true;
  const isConnected = (member: string): boolean => connected.has(member) && isUp(member);
  /** What happens before it is definite: nothing was sent yet. */
  const connect = async (member: string, ms: number): Promise<void> => {
    if (!isUp(member)) {
      connected.delete(member);
      await clock.sleep(1);
      throw new RigError('unavailable', `${member} is not there`);
    }
    const [from, to] = [host, member];
    try {
      await exchange(member, ms, (state, { onAnswer, onFailure }) => {
        const shake = async (): Promise<void> => {
          await carry({ from, to, isEmpty: true }, state);
          await carry({ from: to, to: from, isEmpty: true }, state);
        };
        shake().then(onAnswer, onFailure);
      });
    } catch (error) {
      throw new RigError('unavailable', `cannot connect to ${member}`, { cause: error });
    }
    connected.add(member);
  };

  const callAt = async <T>(
    member: string,
    { what, write, effect }: UnaryCall<T>,
    shareMs: number,
    leftMs: number,
  ) => {
    const startedMs = clock.monotonicMs();
    if (!isConnected(member)) await connect(member, shareMs);
    const spentMs = clock.monotonicMs() - startedMs;
    const from = host;
    try {
      // By calling back: this is most of what happens in a cluster, and each promise more is a part of its cost.
      return await exchange<T>(
        member,
        (write ? leftMs : shareMs) - spentMs,
        (state, { onAnswer, onFailure }) => {
          const answer = (onArrival: () => void): void =>
            options.wires.send(messageOf({ from: member, to: from }), state, {
              onArrival,
              onReset: onFailure,
            });
          const onArrival = (): void => {
            // A write that has arrived may be done when nobody waits for it any more.
            const done = etcd.ask(member, { write, effect, isWanted: () => write || !state.over });
            // What etcd refuses, it refuses by an answer.
            done
              .then(
                (value) => () => onAnswer(value),
                (refusal: unknown) => () => onFailure(refusal),
              )
              .then(answer);
          };
          options.wires.send(messageOf({ from, to: member }), state, { onArrival, onReset: onFailure });
        },
      );
    } catch (error) {
      const { code, message } = RigError.from(error);
      if (!hasCode(error, 'unavailable', 'timeout')) throw error;
      // A read has no effect that anybody would have to know of.
      throw new RigError(code, `${what} at ${member}: ${message}`, { definite: !write, cause: error });
    }
  };

  const call = async <T>(request: UnaryCall<T>): Promise<T> => {
    const endMs = clock.monotonicMs() + REQUEST_TIMEOUT_MS;
    const candidates = inOrder();
    let untried = candidates.length;
    let last: RigError | undefined;
    for (const member of candidates) {
      refuseIfClosed();
      const leftMs = endMs - clock.monotonicMs();
      if (leftMs <= 0) break;
      try {
        const answer = await callAt(member, request, leftMs / untried, leftMs);
        worked(member);
        return answer;
      } catch (error) {
        refuseIfClosed();
        if (!hasCode(error, 'unavailable', 'timeout')) throw error;
        suspect(member);
        if (!error.definite) throw error;
        last = error;
        untried -= 1;
      }
    }
    throw last ?? new RigError('timeout', `${request.what}: no member answered`);
  };

  const open = async (): Promise<string> => {
    let last: unknown;
    for (const member of inOrder()) {
      try {
        refuseIfClosed();
        if (!isConnected(member)) await connect(member, REQUEST_TIMEOUT_MS / options.members.length);
        return member;
      } catch (error) {
        if (!hasCode(error, 'unavailable', 'timeout')) throw error;
        suspect(member);
        last = error;
      }
    }
    throw last;
  };

  const openStream = async (wanted: WatchOptions): Promise<Stream> => {
    if (wanted.signal.aborted) throw abortError(wanted.signal);
    const member = await open();
    const inbox = createInbox<WatchBatch>();
    const stop = new AbortController();
    const stream: Stream = {
      next: inbox.next,
      end: (error) => {
        if (!streams.delete(stream)) return;
        inbox.end(error);
        forgetEnd();
        stop.abort();
        wanted.signal.removeEventListener('abort', onAbort);
        closing.signal.removeEventListener('abort', onClose);
      },
    };
    const onAbort = (): void => stream.end(abortError(wanted.signal));
    const onClose = (): void => stream.end(new RigError('aborted', 'the etcd client was closed'));
    const forgetEnd = process.onEnd(() => stop.abort());
    streams.set(stream, member);
    wanted.signal.addEventListener('abort', onAbort, { once: true });
    closing.signal.addEventListener('abort', onClose, { once: true });
    const told = { push: inbox.push, end: stream.end };
    void serveWatch(options, { member, inbox: told, wanted: { ...wanted, signal: stop.signal } });
    if (!isProbing) probe();
    return stream;
  };
  /** It is opened when it is first read. */
  const watch = (wanted: WatchOptions): AsyncIterable<WatchBatch> => ({
    [Symbol.asyncIterator]: () => {
      let stream: Stream | undefined;
      let isOver = false;
      const end = (): void => {
        isOver = true;
        stream?.end();
      };
      const begin = async (): Promise<IteratorResult<WatchBatch, undefined>> => {
        stream = await openStream(wanted);
        if (isOver) end();
        return stream.next();
      };
      return {
        next: () => (stream === undefined ? begin() : stream.next()),
        return: async () => {
          end();
          return { done: true, value: undefined };
        },
      };
    },
  });

  /** Looks after the members that streams are open to, for as long as there are any. */
  const probe = (): void => {
    isProbing = true;
    clock.after(KEEPALIVE_MS, () => {
      for (const member of new Set(streams.values())) {
        const [from, to] = [host, member];
        exchange(member, REQUEST_TIMEOUT_MS, (state, { onAnswer, onFailure }) => {
          const ask = async (): Promise<void> => {
            await carry({ from, to }, state);
            const asked = etcd.members.get(member)?.process;
            if (asked !== undefined) await doneBy(asked, async () => undefined);
            await carry({ from: to, to: from }, state);
          };
          ask().then(onAnswer, onFailure);
        }).catch((cause: unknown) => {
          suspect(member);
          const silent = new RigError('unavailable', `${member} is silent`, { definite: false, cause });
          for (const [stream, at] of streams) if (at === member) stream.end(silent);
        });
      }
      if (streams.size > 0) probe();
      else isProbing = false;
    });
  };

  const read = <T>(what: string, effect: UnaryCall<T>['effect']) => call({ what, write: false, effect });
  const write = <T>(what: string, effect: UnaryCall<T>['effect']) => {
    process.step();
    return call({ what, write: true, effect });
  };
  return {
    get: (key) => read(`reading ${key}`, (kv) => kv.get(key)),
    list: (prefix, wanted) => read(`reading ${prefix}`, (kv) => kv.list(prefix, wanted)),
    transact: (transaction) =>
      write(`writing ${transaction.writes.map(({ key }) => key).join(', ')}`, (kv) =>
        kv.transact(transaction),
      ),
    grantLease: (ttl) => write(`granting a lease of ${ttl} s`, (kv) => kv.grantLease(ttl)),
    // May be sent twice: a lease that was renewed is renewed once more.
    keepLeaseAlive: (id) => read(`renewing lease ${id}`, (kv) => kv.keepLeaseAlive(id)),
    revokeLease: (id) => write(`revoking lease ${id}`, (kv) => kv.revokeLease(id)),
    listLeases: () => read('listing leases', (kv) => kv.listLeases()),
    watch,
    close: async () => closing.abort(),
  };
}
