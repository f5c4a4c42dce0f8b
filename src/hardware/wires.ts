// What carries messages from one member's host to another's: as TCP would over
// packets that are late, lost, held back or answered with a reset, each direction of
// each link by itself.

import { RigError } from '../base/errors.ts';
import { below, type Random } from '../base/random.ts';
import type { Link, LinkEffect, Path } from '../rig/deployment.ts';

/** Where the time is from: the simulator's queue, or a real clock. */
export interface Timeline {
  /** Milliseconds from an arbitrary origin; never goes back. */
  readonly nowMs: number;
  /** Calls back once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** Whoever waits for a message: nothing is sent again once it is over. */
export interface Exchange {
  over: boolean;
}

export interface Arrival {
  readonly onArrival: () => void;
  readonly onReset: (error: RigError) => void;
}

export interface Message extends Path {
  readonly bytes: number;
  /** Who opened the connection that it belongs to. Default: `from`. */
  readonly opener?: string;
  /** A handshake's or an acknowledgement, which a half-open connection lets pass. Default: false. */
  readonly isEmpty?: boolean;
}

export interface Wires {
  /**
   * Calls back when it has arrived, or with `unavailable` where a reset comes back. What is lost is sent again, later
   * each time, until it arrives or the exchange is over: then it never calls back.
   */
  send(message: Message, exchange: Exchange, then: Arrival): void;
  /** The same as a promise. */
  carry(message: Message, exchange: Exchange): Promise<void>;
  /** When a packet that is sent now would arrive; undefined when it is lost. */
  packetMs(path: Path, bytes: number): number | undefined;
  set(key: string, links: readonly Link[]): void;
  inForce(): ReadonlyMap<string, readonly Link[]>;
  /** Whether anything gets from one to the other. */
  passes(path: Path): boolean;
  /** Tells whenever links have changed. */
  onChange(callback: () => void): void;
}

const NO_EFFECTS: readonly LinkEffect[] = [];
/** A switch between two hosts of one machine room. */
const LEAST_MS = 0.1;
const SPREAD_MS = 0.9;
/** 1 Gbit/s, shared by nobody. */
const USUAL_KBIT_PER_SECOND = 1_000_000;
/** Linux's first retransmission, which doubles; the longest is what a client does not outwait anyway. */
const RETRANSMIT_MS = 200;
const LONGEST_RETRANSMIT_MS = 1_600;
/** A TCP segment: each of a message may be lost by itself. */
const SEGMENT_BYTES = 1_400;

export interface WiresOptions {
  readonly time: Timeline;
  readonly random: Random;
  /**
   * `modelled` (default): a message that nothing is done to takes a moment all the same. `real`: that is what the
   * network below takes, and nothing is added.
   */
  readonly usual?: 'modelled' | 'real';
}

export function createWires({ time, random, usual = 'modelled' }: WiresOptions): Wires {
  const isReal = usual === 'real';
  const byKey = new Map<string, readonly Link[]>();
  const listeners = new Set<() => void>();
  let byPath: ReadonlyMap<string, ReadonlyMap<string, readonly LinkEffect[]>> = new Map();
  /** Until when a link of limited bandwidth is busy, by path. */
  const busyUntilMs = new Map<string, number>();

  const effectsOf = ({ from, to }: Path): readonly LinkEffect[] =>
    byPath.size === 0 ? NO_EFFECTS : (byPath.get(from)?.get(to) ?? NO_EFFECTS);
  const chance = (): number => random.uint32() / 2 ** 32;

  const delayMs = (path: Path, bytes: number, effects: readonly LinkEffect[]): number => {
    let ms = isReal ? 0 : LEAST_MS + SPREAD_MS * chance();
    let kbitPerSecond = Number.POSITIVE_INFINITY;
    for (const effect of effects) {
      if (effect.does === 'delay') ms += effect.delayMs + effect.jitterMs * (2 * chance() - 1);
      if (effect.does === 'limit') kbitPerSecond = Math.min(kbitPerSecond, effect.kbitPerSecond);
    }
    if (kbitPerSecond === Number.POSITIVE_INFINITY)
      return ms + (isReal ? 0 : (bytes * 8) / USUAL_KBIT_PER_SECOND);
    const key = `${path.from} ${path.to}`;
    const freeMs = Math.max(time.nowMs, busyUntilMs.get(key) ?? 0) + (bytes * 8) / kbitPerSecond;
    busyUntilMs.set(key, freeMs);
    return freeMs - time.nowMs + ms;
  };
  const isLost = (effects: readonly LinkEffect[]): boolean =>
    effects.some(
      (effect) => effect.does === 'drop' || (effect.does === 'lose' && chance() * 100 < effect.percent),
    );

  const send: Wires['send'] = (message, exchange, { onArrival, onReset }) => {
    if (effectsOf(message).length === 0 && !exchange.over) {
      if (isReal) onArrival();
      else time.after(delayMs(message, message.bytes, NO_EFFECTS), onArrival);
      return;
    }
    let waitMs = RETRANSMIT_MS;
    /** Segments that have yet to arrive. */
    let left = Math.max(1, Math.ceil(message.bytes / SEGMENT_BYTES));
    const attempt = (): void => {
      if (exchange.over) return;
      const effects = effectsOf(message);
      if (effects.some(({ does }) => does === 'reset')) {
        const refusal = new RigError('unavailable', 'the connection was reset', { definite: false });
        time.after(LEAST_MS, () => onReset(refusal));
        return;
      }
      const isMuted =
        message.isEmpty !== true &&
        (message.opener ?? message.from) === message.to &&
        effects.some(({ does }) => does === 'mute');
      const before = left;
      if (!isMuted) for (let count = 0; count < before; count += 1) if (!isLost(effects)) left -= 1;
      if (left === 0) {
        time.after(delayMs(message, message.bytes, effects), onArrival);
        return;
      }
      // Of a long message only what was lost is sent again, and fast while other segments arrive.
      const soonMs = left < before ? 2 * SPREAD_MS : waitMs;
      if (left === before) waitMs = Math.min(2 * waitMs, LONGEST_RETRANSMIT_MS);
      time.after(soonMs, attempt);
    };
    attempt();
  };

  return {
    send,
    carry: (message, exchange) =>
      new Promise((resolve, reject) => send(message, exchange, { onArrival: resolve, onReset: reject })),
    packetMs: (path, bytes) => {
      const effects = effectsOf(path);
      return isLost(effects) ? undefined : delayMs(path, bytes, effects);
    },
    set: (key, links) => {
      if (links.length === 0) byKey.delete(key);
      else byKey.set(key, links);
      byPath = effectsByPath([...byKey.values()].flat());
      for (const listener of listeners) listener();
    },
    inForce: () => byKey,
    passes: (path) =>
      !effectsOf(path).some(({ does }) => does === 'drop' || does === 'reset' || does === 'mute'),
    onChange: (callback) => void listeners.add(callback),
  };
}

/** By where from, and where to. */
function effectsByPath(
  links: readonly Link[],
): ReadonlyMap<string, ReadonlyMap<string, readonly LinkEffect[]>> {
  const grouped = Map.groupBy(links, ({ from }) => from);
  return new Map(
    [...grouped].map(([from, those]) => [
      from,
      new Map(
        [...Map.groupBy(those, ({ to }) => to)].map(([to, all]) => [to, all.map(({ effect }) => effect)]),
      ),
    ]),
  );
}

/** A random number of milliseconds from `least` on, below `most`. */
export const someMs = (least: number, most: number, random: Random): number =>
  least + below(random, Math.round((most - least) * 1_000)) / 1_000;
