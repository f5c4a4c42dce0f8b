// Makes the nodes of a fleet what is declared of them, again whenever that changes: who has
// power, since which cycle, and where a shared device serves.

import type { Clock } from '../base/clock.ts';
import { gibToBytes } from '../base/units.ts';
import type { MemoryDisk } from '../storage/memory.ts';
import type { FleetWorld } from './agent.ts';
import type { Cluster, DeclaredNode } from './cluster.ts';
import type { Fleet } from './fleet.ts';
import { createFleetNode, type FleetNode } from './node.ts';
import type { Profile } from './profiles.ts';
import { createStarts, type Start } from './starts.ts';

/** Where the disks are; disk-files.ts keeps them, or nobody does. */
export interface Disks {
  open(name: string, totalBytes: number): MemoryDisk;
  written?(name: string): Promise<void>;
}

export interface Steward {
  /** Begins what it takes, and returns. What was begun for an earlier declaration and is no longer wanted doesn't happen. */
  follow(cluster: Cluster): void;
  /** Where a shared device serves, or is about to; null: nowhere. */
  hostOf(device: string): string | null;
  profileOf(name: string): Profile | undefined;
  /** Every member that is to have power has an agent that holds a lease. */
  isComplete(): boolean;
  /** Nothing that was begun happens any more. */
  stop(): void;
}

/** What a member is to be; two that are equal ask for nothing. */
interface Wanted {
  /** Where its agent runs; null: nowhere. */
  readonly host: string | null;
  /** Power cycles of that host. */
  readonly cycles: number;
}

interface Member {
  readonly node: FleetNode;
  readonly profile: Profile;
  wanted: Wanted;
  /** Counts decisions, so that what an earlier one has begun can see that it is out of date. */
  decisions: number;
}

/** As in the containers, the disk is a quarter larger than what may be reserved. */
const DISK_PER_CAPACITY = 1.25;
const OFF: Wanted = { host: null, cycles: 0 };

/** Starts that are asked for together are spread over `spreadMs`. */
export function createSteward(options: {
  readonly world: FleetWorld;
  readonly fleet: Fleet;
  readonly disks: Disks;
  readonly clock: Clock;
  readonly spreadMs: number;
}): Steward {
  const { world, fleet, disks, clock, spreadMs } = options;
  const members = new Map<string, Member>();
  const starts = createStarts(clock);
  const timers = new Set<() => void>();
  const later = (ms: number, work: () => unknown): void => {
    const cancel = clock.after(ms, () => {
      timers.delete(cancel);
      work();
    });
    timers.add(cancel);
  };

  const join = (name: string, declared: Declared): Member => {
    const { profile, labels, capacityGib } = declared;
    const own: Profile = capacityGib === null ? profile : { ...profile, capacityGib };
    const disk = disks.open(name, gibToBytes(own.capacityGib * DISK_PER_CAPACITY));
    const node = createFleetNode({
      ...{ world, name, profile: own, disk },
      labels: { ...profile.labels, ...labels },
      ...(disks.written === undefined ? {} : { onWritten: async () => disks.written?.(name) }),
    });
    fleet.add(node);
    const member: Member = { node, profile: own, wanted: OFF, decisions: 0 };
    members.set(name, member);
    return member;
  };

  const follow = (cluster: Cluster): void => {
    const wanted = wantedIn(cluster);
    for (const [name, member] of members) {
      if (wanted.has(name)) continue;
      member.node.powerOff();
      fleet.remove(name);
      members.delete(name);
    }
    const due: Start[] = [];
    for (const [name, declared] of wanted) {
      const member = members.get(name) ?? join(name, declared);
      const before = member.wanted;
      const { host, cycles } = declared.wanted;
      if (before.host === host && before.cycles === cycles) continue;
      member.wanted = declared.wanted;
      member.decisions += 1;
      const decision = member.decisions;
      const begin = (): boolean => {
        if (member.decisions !== decision || host === null) return false;
        member.node.powerOn(host);
        return true;
      };
      const hasMoved = before.host !== null && host !== null && before.host !== host;
      // Back to its home, or away from a node that goes in peace: nothing has failed.
      if (hasMoved && isPowered(cluster, before)) {
        void member.node.shutDown().then(begin);
        continue;
      }
      member.node.powerOff();
      if (hasMoved) later(cluster.failOverMs, begin);
      else if (host !== null) due.push({ begin, isDone: () => member.node.isRegistered });
    }
    if (due.length > 0) starts.add(due, spreadMs);
  };

  return {
    follow,
    hostOf: (device) => members.get(device)?.wanted.host ?? null,
    profileOf: (name) => members.get(name)?.profile,
    isComplete: () =>
      [...members.values()].every(({ wanted, node }) => wanted.host === null || node.isRegistered),
    stop: () => {
      starts.stop();
      for (const cancel of timers) cancel();
      for (const member of members.values()) member.decisions += 1;
    },
  };
}

interface Declared {
  readonly profile: Profile;
  readonly labels: Readonly<Record<string, string>>;
  readonly capacityGib: number | null;
  readonly wanted: Wanted;
}

/** By name: every node, and every shared device at the first node with power that sees it. */
function wantedIn({ nodes, devices, profiles }: Cluster): ReadonlyMap<string, Declared> {
  const profileNamed = (name: string): Profile => profiles[name] as Profile;
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const wanted = new Map<string, Declared>();
  for (const node of nodes) {
    const { name, profile, labels, capacityGib } = node;
    wanted.set(name, { profile: profileNamed(profile), labels, capacityGib, wanted: wantedOf(node) });
  }
  for (const { name, profile, seenBy } of devices) {
    const host = seenBy.map((seer) => byName.get(seer)).find((node) => node?.power === 'on');
    wanted.set(name, {
      ...{ profile: profileNamed(profile), labels: { shared: 'yes' }, capacityGib: null },
      wanted: host === undefined ? OFF : wantedOf(host),
    });
  }
  return wanted;
}

function wantedOf({ name, power, cycles }: DeclaredNode): Wanted {
  return power === 'on' ? { host: name, cycles } : OFF;
}

/** The node where it was has had power since. */
function isPowered({ nodes }: Cluster, { host, cycles }: Wanted): boolean {
  return nodes.some((node) => node.name === host && node.power === 'on' && node.cycles === cycles);
}
