// etcd as a cluster of members over one store in memory (kv/memory.ts, which says
// where that is simpler): a member answers while it runs and reaches a leader that
// reaches a majority. Without one nothing is answered, and no lease runs out.

import { oneOf } from '../base/choose.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { someMs, type Wires } from '../hardware/wires.ts';
import type { Kv } from '../kv/kv.ts';
import { createMemoryStore, type MemoryStore } from '../kv/memory.ts';
import type { Act, ContainerState } from '../rig/deployment.ts';
import { createProcess, type Process } from './process.ts';
import type { Queue } from './queue.ts';

/** From the start of a member until it takes part. */
const BOOT_MS = { least: 100, most: 400 };
/** etcd's election timeout is 1 s, and up to twice that by chance (raft's randomizedElectionTimeout). */
const ELECTION_MS = { least: 1_000, most: 2_000 };
/** A write is on the disks of a majority by then. */
const COMMIT_MS = { least: 0.5, most: 5 };

export interface EtcdMember {
  readonly name: string;
  state: ContainerState;
  /** Counts its starts. */
  incarnation: number;
  /** Another one when it has joined anew. */
  id: string;
  /** Undefined while it does not run. */
  process: Process | undefined;
  /** It has started, and listens. */
  isUp: boolean;
}

export interface SimulatedEtcd {
  readonly store: MemoryStore;
  readonly members: ReadonlyMap<string, EtcdMember>;
  leader(): string | undefined;
  /** Whether the member answers what needs a quorum. */
  serves(name: string): boolean;
  /**
   * Has the member do it, as soon as it can and while it is wanted. Rejects with `unavailable`, and nobody
   * knows what became of it, when the member ends before.
   */
  ask<T>(name: string, call: AskOptions<T>): Promise<T>;
  act(act: Act, name: string): void;
  /** Its data is gone, and so is its place among the members. */
  lose(name: string): void;
}

export interface AskOptions<T> {
  readonly write: boolean;
  readonly effect: (kv: Kv) => Promise<T>;
  readonly isWanted: () => boolean;
}

export function createEtcd(options: {
  readonly queue: Queue;
  readonly wires: Wires;
  readonly random: Random;
  readonly names: readonly string[];
}): SimulatedEtcd {
  const { queue, wires, random, names } = options;
  // What a single member's freezing stops is the store's own clock; of several, the others go on.
  const own = createProcess(queue);
  const store = createMemoryStore({ clock: own.clock, random });
  store.setAvailable(false);
  const kv = store.connect();
  const newId = (): string => random.uint32().toString(16).padStart(8, '0');
  const members = new Map<string, EtcdMember>(
    names.map((name) => [
      name,
      { name, state: 'created', incarnation: 0, id: newId(), process: undefined, isUp: false },
    ]),
  );
  const waiting = new Set<() => void>();
  let leader: string | undefined;
  let electing: (() => void) | undefined;

  /** Whether they talk to each other, in both directions. */
  const meet = (one: string, other: string): boolean =>
    one === other || (wires.passes({ from: one, to: other }) && wires.passes({ from: other, to: one }));
  const isAlive = (name: string): boolean => {
    const member = members.get(name);
    return member?.isUp === true && member.process?.isFrozen === false;
  };
  const canLead = (name: string): boolean =>
    isAlive(name) && names.filter((other) => isAlive(other) && meet(name, other)).length > names.length / 2;
  const serves = (name: string): boolean => leader !== undefined && isAlive(name) && meet(name, leader);

  const wake = (): void => {
    for (const callback of [...waiting]) callback();
  };
  const elect = (): void => {
    electing = undefined;
    leader = oneOf(names.filter(canLead), random);
    if (leader !== undefined) store.setAvailable(true);
    look();
  };
  /** Whenever members or links have changed. */
  const look = (): void => {
    const isFrozenWhole = names.length === 1 && members.get(names[0] ?? '')?.process?.isFrozen === true;
    if (leader !== undefined && !canLead(leader) && !isFrozenWhole) {
      leader = undefined;
      store.setAvailable(false);
    }
    if (leader !== undefined) wake();
    else if (electing === undefined && names.some(canLead))
      electing = queue.after(someMs(ELECTION_MS.least, ELECTION_MS.most, random), elect);
  };
  wires.onChange(look);

  const start = (member: EtcdMember): void => {
    const process = createProcess(queue);
    Object.assign(member, { state: 'running', incarnation: member.incarnation + 1, process });
    process.clock.after(someMs(BOOT_MS.least, BOOT_MS.most, random), () => {
      member.isUp = true;
      look();
    });
  };
  const halt = (member: EtcdMember, state: ContainerState): void => {
    const { process } = member;
    Object.assign(member, { state, process: undefined, isUp: false });
    process?.end();
    look();
  };
  const freeze = (member: EtcdMember, wanted: boolean): void => {
    member.state = wanted ? 'paused' : 'running';
    for (const process of [member.process, ...(names.length === 1 ? [own] : [])])
      if (wanted) process?.freeze();
      else process?.thaw();
    look();
  };
  const found = (name: string): EtcdMember => {
    const member = members.get(name);
    if (member === undefined) throw new RigError('not_found', `etcd has no member ${name}`);
    return member;
  };

  return {
    store,
    members,
    leader: () => leader,
    serves,
    ask: (name, { write, effect, isWanted }) =>
      new Promise((resolve, reject) => {
        const gone = (): void =>
          reject(new RigError('unavailable', `${name} ended meanwhile`, { definite: false }));
        const { process, isUp } = found(name);
        if (process === undefined || !isUp) return gone();
        // Most of what is asked are reads of a member that answers at once.
        if (!write && !process.isFrozen && isWanted() && serves(name)) {
          effect(kv).then(resolve, reject);
          return;
        }
        const forget = process.onEnd(gone);
        const attempt = (): void => {
          waiting.delete(attempt);
          const isOn = !process.isOver && isWanted();
          if (isOn && !serves(name)) {
            waiting.add(attempt);
            return;
          }
          // It is done in this moment, or never.
          forget();
          if (isOn) effect(kv).then(resolve, reject);
        };
        if (write) process.clock.after(someMs(COMMIT_MS.least, COMMIT_MS.most, random), attempt);
        else if (process.isFrozen) process.clock.after(0, attempt);
        else attempt();
      }),
    act: (act, name) => {
      const member = found(name);
      if (act === 'start') start(member);
      else if (act === 'kill' || act === 'stop') halt(member, 'exited');
      else freeze(member, act === 'pause');
    },
    lose: (name) => {
      const member = found(name);
      halt(member, 'created');
      member.id = newId();
    },
  };
}
