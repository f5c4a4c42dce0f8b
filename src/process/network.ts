// The network between the members of a cluster of processes: a relay for each link that
// one of them may connect over, so that each direction of it can be broken by itself.

import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { createModelledLinks } from '../hardware/links.ts';
import type { Wires } from '../hardware/wires.ts';
import type { Links } from '../rig/deployment.ts';
import { tryConnection } from './connection-probe.ts';
import type { Endpoint } from './endpoint.ts';
import type { Place } from './place.ts';
import { type PortWatch, watchPort } from './port-watch.ts';
import { openRelay, type Relay, type RelayOptions } from './relay.ts';
import { ownerOf } from './socket-owner.ts';

export interface ProcessNetwork extends AsyncDisposable {
  readonly links: Links;
  /** From it to every node and member of etcd that there is by now, and from these nodes to it. */
  addNode(name: string): Promise<void>;
}

export async function openNetwork(options: {
  readonly clock: Clock;
  readonly wires: Wires;
  readonly place: Place;
  readonly etcd: readonly string[];
  /** The process of a member of etcd; undefined before its first start. */
  readonly pidOf: (member: string) => number | undefined;
  /** Whether the member runs, frozen or not. */
  readonly hasNetwork: (member: string) => boolean;
}): Promise<ProcessNetwork> {
  const { clock, wires, place, etcd, pidOf, hasNetwork } = options;
  const { ports } = place;
  const relays: Relay[] = [];
  const nodes = new Set<string>();

  /** One for each port that relays lead to. */
  const watches = new Map<string, PortWatch>();
  const watchOf = (target: Endpoint): PortWatch => {
    const key = `${target.host}:${target.port}`;
    const watch = watches.get(key) ?? watchPort(clock, target);
    watches.set(key, watch);
    return watch;
  };
  const relay = async (way: Pick<RelayOptions, 'at' | 'target' | 'to' | 'from'>): Promise<void> => {
    relays.push(await openRelay({ ...way, wires, watch: watchOf(way.target) }));
  };
  const join = (from: string, to: string, port: number): Promise<void> =>
    relay({
      at: { host: place.seenFrom(from, to), port },
      target: { host: place.addressOf(to), port },
      to,
      from: async () => from,
    });
  /** Members of etcd all know each other by the same URL: which of them it is shows only in its socket. */
  const peerOf = async (to: string, socket: Socket): Promise<string | undefined> => {
    const others = etcd.filter((member) => member !== to);
    const pids = new Map(others.map((member) => [pidOf(member) ?? 0, member] as const));
    const owner = ownerOf(socket, [...pids.keys()]);
    return owner === undefined ? undefined : pids.get(owner);
  };
  const joinPeers = (to: string): Promise<void> =>
    relay({
      at: { host: place.addressOf(to), port: ports.etcdPeer },
      target: { host: place.behind(to), port: ports.etcdPeer },
      to,
      from: (socket) => peerOf(to, socket),
    });

  if (etcd.length > 1) await Promise.all(etcd.map(joinPeers));
  return {
    links: createModelledLinks({
      wires,
      clock,
      hasNetwork,
      connect: (path, withinMs) => tryConnection({ wires, clock, path, withinMs }),
    }),
    addNode: async (name) => {
      const others = [...nodes].filter((node) => node !== name);
      if (nodes.has(name)) return;
      nodes.add(name);
      await Promise.all([
        ...others.flatMap((other) => [join(name, other, ports.agent), join(other, name, ports.agent)]),
        ...etcd.map((member) => join(name, member, ports.etcd)),
      ]);
    },
    [Symbol.asyncDispose]: async () => {
      for (const watch of watches.values()) watch[Symbol.dispose]();
      await Promise.all(relays.map((relay) => relay[Symbol.asyncDispose]()));
    },
  };
}
