// The links between members as the rig breaks and looks at them (rig/deployment.ts, Links).

import type { Clock } from '../base/clock.ts';
import type { Arrivals, Connection, Links, Path } from '../rig/deployment.ts';
import type { Exchange, Wires } from './wires.ts';

/** From one packet of a burst to the next, as fast as a sender gets them out. */
const GAP_MS = 0.05;

/**
 * `hasNetwork`: whether the member runs, frozen or not. `connect` makes a connection and says what came of it;
 * default: by the wires alone.
 */
export function createModelledLinks(options: {
  readonly wires: Wires;
  readonly clock: Clock;
  readonly hasNetwork: (member: string) => boolean;
  readonly connect?: (path: Path, withinMs: number) => Promise<Connection>;
}): Links {
  const { wires, clock, hasNetwork } = options;
  const possible = (paths: readonly Path[]): readonly Path[] =>
    paths.filter(({ from, to }) => hasNetwork(from) && hasNetwork(to));

  const burst: Links['send'] = async (paths, { count, bytes, withinMs }) => {
    const sent = possible(paths).map((path) => ({ path, packets: packetsOf(path, { count, bytes }) }));
    await clock.sleep(withinMs);
    return sent.map(({ path: { from, to }, packets }): Arrivals => {
      const arrived = packets.filter(({ tookMs }) => tookMs <= withinMs).sort((a, b) => a.atMs - b.atMs);
      const spanMs = (arrived.at(-1)?.atMs ?? 0) - (arrived[0]?.atMs ?? 0);
      return { from, to, sent: count, tookMs: arrived.map(({ tookMs }) => tookMs), spanMs };
    });
  };
  const packetsOf = (path: Path, { count, bytes }: { readonly count: number; readonly bytes: number }) =>
    Array.from({ length: count }, (_, index) => {
      const tookMs = wires.packetMs(path, bytes);
      return tookMs === undefined ? [] : [{ tookMs, atMs: tookMs + index * GAP_MS }];
    }).flat();

  const connectOne = ({ from, to }: Path, withinMs: number): Promise<Connection> => {
    const startedMs = clock.monotonicMs();
    const exchange: Exchange = { over: false };
    let outcome: Connection['outcome'] = 'silent';
    const end = (): Connection => ({ from, to, outcome, tookMs: clock.monotonicMs() - startedMs });
    const talk = async (): Promise<void> => {
      const message = { bytes: 64, opener: from };
      await wires.carry({ ...message, from, to, isEmpty: true }, exchange);
      await wires.carry({ ...message, from: to, to: from, isEmpty: true }, exchange);
      outcome = 'mute';
      await wires.carry({ ...message, from, to }, exchange);
      await wires.carry({ ...message, from: to, to: from }, exchange);
      outcome = 'answered';
    };
    return new Promise((resolve) => {
      const cancel = clock.after(withinMs, () => {
        exchange.over = true;
        resolve(end());
      });
      talk()
        .catch(() => {
          outcome = outcome === 'silent' ? 'refused' : 'reset';
        })
        .then(() => {
          cancel();
          resolve(end());
        });
    });
  };

  const connect = options.connect ?? connectOne;
  return {
    set: async (key, links) => wires.set(key, links),
    inForce: wires.inForce,
    send: burst,
    connect: (paths, withinMs) => Promise.all(possible(paths).map((path) => connect(path, withinMs))),
    missing: async () => undefined,
  };
}
