// A simulated node: its disk and its NFS server, and an agent of Cobalt's own for as long as
// it has power.

import { RigError } from '../base/errors.ts';
import { backOff } from '../base/retry.ts';
import { createMemoryNfsServer, killMemoryNfsServer } from '../nfs/memory.ts';
import type { MemoryDisk } from '../storage/memory.ts';
import { createFleetAgent, type FleetNodeOptions, type Incarnation } from './agent.ts';
import { clockOf, createLife, type Life, within } from './life.ts';
import { observed } from './observed-log.ts';

export interface FleetNode {
  readonly name: string;
  readonly disk: MemoryDisk;
  readonly isOn: boolean;
  /** Its agent holds a lease, as far as the agent knows. */
  readonly isRegistered: boolean;
  /** Volumes that it exports. */
  readonly exports: number;
  /** How often its agent was started, and has lost its lease. */
  readonly starts: number;
  readonly lostLeases: number;
  /** Starts its agent, at the address (default: its name). Nothing, if it is on. */
  powerOn(address?: string): void;
  /** As by pulling the plug. */
  powerOff(): void;
  /** Lets its agent end what is under way and give up its lease, for 10 s at most; then it is off. */
  shutDown(): Promise<void>;
}

const STOPS_WITHIN_MS = 10_000;
const RESTART_MS = { base: 500, cap: 10_000 };
/** It is off at first. */
export function createFleetNode(options: FleetNodeOptions): FleetNode {
  const { world, name, disk } = options;
  const server = createMemoryNfsServer();
  let running:
    | { readonly life: Life; readonly stop: AbortController; readonly ended: Promise<void> }
    | undefined;
  let isRegistered = false;
  let starts = 0;
  let lostLeases = 0;
  const onEvent = (event: string): void => {
    if (event === 'agent.registered') {
      isRegistered = true;
      world.figures.registered += 1;
    } else if (event === 'agent.lost-lease') {
      isRegistered = false;
      lostLeases += 1;
      world.figures.lostLeases += 1;
    }
  };

  const start = (address: string): void => {
    const life = createLife();
    const stop = new AbortController();
    server.up = true;
    starts += 1;
    const serve = () => serveAgent(options, { life, server, address, onEvent, signal: stop.signal });
    running = { life, stop, ended: serve() };
  };
  const end = (): void => {
    running?.life.end();
    running = undefined;
    isRegistered = false;
    killMemoryNfsServer(server);
  };

  return {
    name,
    disk,
    get isOn() {
      return running !== undefined;
    },
    get isRegistered() {
      return isRegistered;
    },
    get exports() {
      return server.exports.size;
    },
    get starts() {
      return starts;
    },
    get lostLeases() {
      return lostLeases;
    },
    powerOn: (address = name) => {
      if (running === undefined) start(address);
    },
    powerOff: end,
    shutDown: async () => {
      const ending = running;
      if (ending === undefined) return;
      ending.stop.abort();
      await new Promise<void>((resolve) => {
        const cancel = world.clock.after(STOPS_WITHIN_MS, resolve);
        ending.life.onEnd(() => {
          cancel();
          resolve();
        });
        void ending.ended.then(() => {
          cancel();
          resolve();
        });
      });
      if (running === ending) end();
    },
  };
}

/** As the supervisor does: an agent that ends is started again. Resolves when the signal has fired. */
async function serveAgent(options: FleetNodeOptions, incarnation: Incarnation): Promise<void> {
  const { world } = options;
  const { life, signal } = incarnation;
  const clock = clockOf(life, world.clock);
  const log = observed(world.log, { node: options.name, role: 'agent' }, incarnation.onEvent, world.figures);
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      await within(life, createFleetAgent(options, incarnation, { clock, log }).run(signal));
    } catch (error) {
      log.error('role.crashed', { cause: RigError.from(error) });
    }
    if (signal.aborted) return;
    await backOff({
      clock,
      random: world.random,
      signal,
      attempt,
      baseMs: RESTART_MS.base,
      capMs: RESTART_MS.cap,
    });
  }
}
