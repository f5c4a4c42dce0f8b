// The network between the members of a cluster of processes: a relay for each link that
// one of them may connect over, so that each direction of it can be broken by itself.

import type { Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { createModelledLinks } from '../hardware/links.ts';
import type { Wires } from '../hardware/wires.ts';
import type { Links } from '../rig/deployment.ts';
import { tryConnection } from './connection-probe.ts';
import type { Place } from './place.ts';
import { openRelay, type Relay } from './relay.ts';
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
  /** Processes of a member of etcd. */
  readonly pidsOf: (member: string) => readonly number[];
  /** Whether the member runs, frozen or not. */
  readonly hasNetwork: (member: string) => boolean;
}): Promise<ProcessNetwork> {
  const { clock, wires, place, etcd, pidsOf, hasNetwork } = options;
  const { ports } = place;
  const relays: Relay[] = [];
  const nodes = new Set<string>();

  const join = async (from: string, to: string, port: number): Promise<void> => {
    relays.push(
      await openRelay({
        clock,
        wires,
        at: { host: place.seenFrom(from, to), port },
        target: { host: place.addressOf(to), port },
        to,
        from: async () => from,
        listens: 'with-target',
      }),
    );
  };
  /** Members of etcd all know each other by the same URL: which of them it is shows only in its socket. */
  const peerOf = async (to: string, socket: Socket): Promise<string | undefined> => {
    const others = etcd.filter((member) => member !== to);
    const pids = new Map(others.flatMap((member) => pidsOf(member).map((pid) => [pid, member] as const)));
    const owner = ownerOf(socket, [...pids.keys()]);
    return owner === undefined ? undefined : pids.get(owner);
  };
  const joinPeers = async (to: string): Promise<void> => {
    const port = ports.etcdPeer;
    relays.push(
      await openRelay({
        clock,
        wires,
        at: { host: place.addressOf(to), port },
        target: { host: place.behind(to), port },
        to,
        from: (socket) => peerOf(to, socket),
        listens: 'with-target',
      }),
    );
  };

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
      await Promise.all(relays.map((relay) => relay[Symbol.asyncDispose]()));
    },
  };
}
