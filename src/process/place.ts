// Where a cluster of processes is on this machine: a folder, and addresses of the
// loopback network (127.0.0.0/8, RFC 5735) that no other run has.
//
// With `127.a` claimed, member number m is at 127.a.0.m; member number f reaches
// it at 127.a.f.m, so that who connects where tells which link it is; and a member of etcd
// itself listens for its peers at 127.a.254.m. Ports are the same for all, and drawn.

import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RigError } from '../base/errors.ts';
import { startOf } from '../base/process-start.ts';
import { below, type Random } from '../base/random.ts';

export interface Ports {
  readonly api: number;
  readonly agent: number;
  readonly etcd: number;
  readonly etcdPeer: number;
}

export interface Place extends AsyncDisposable {
  readonly folder: string;
  readonly ports: Ports;
  /** Of the member itself. */
  addressOf(member: string): string;
  /** Where `from` reaches `to`. */
  seenFrom(from: string, to: string): string;
  /** Where a member of etcd really listens for its peers, who connect to its address. */
  behind(member: string): string;
  /** Unique among the members. */
  numberOf(member: string): number;
}

export const FOLDER_PREFIX = 'cobalt-processes-';

/** Below the ports that kernels give to outgoing connections. */
const PORTS = { least: 20_000, most: 29_990 };
const CLAIM_PORT = 29_999;
const FIRST_NETWORK = 64;
const LAST_NETWORK = 253;
const MOST_MEMBERS = 253;
const TRIES = 100;

/** Claims them until it is disposed of, or this process ends. Throws `machine` when there are none. */
export async function claimPlace(random: Random, runId: string): Promise<Place> {
  if (process.platform !== 'linux') {
    throw new RigError('unsupported', `a cluster of processes needs Linux, not ${process.platform}`, {
      next: 'Use --mode containers or --mode simulated.',
    });
  }
  const { network, claim } = await claimNetwork(random);
  try {
    const ports = await freePorts(random, `127.${network}.0.1`);
    const folder = join(tmpdir(), `${FOLDER_PREFIX}${process.pid}-${startOf(process.pid)}-${runId}`);
    mkdirSync(folder, { mode: 0o700 });
    const numbers = new Map<string, number>();
    const numberOf = (member: string): number => {
      const number = numbers.get(member) ?? numbers.size + 1;
      if (number > MOST_MEMBERS) {
        throw new RigError(
          'unsupported',
          `there are addresses for ${MOST_MEMBERS} processes, not for ${member}`,
        );
      }
      numbers.set(member, number);
      return number;
    };
    const address = (from: number, member: string): string => `127.${network}.${from}.${numberOf(member)}`;
    return {
      folder,
      ports,
      addressOf: (member) => address(0, member),
      seenFrom: (from, to) => address(from === to ? 0 : numberOf(from), to),
      behind: (member) => address(254, member),
      numberOf,
      [Symbol.asyncDispose]: async () => {
        rmSync(folder, { recursive: true, force: true });
        await close(claim);
      },
    };
  } catch (error) {
    await close(claim);
    throw error;
  }
}

async function claimNetwork(random: Random): Promise<{ readonly network: number; readonly claim: Server }> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const network = FIRST_NETWORK + below(random, LAST_NETWORK - FIRST_NETWORK + 1);
    const claim = await listenAt(`127.${network}.255.254`, CLAIM_PORT);
    if (claim !== undefined) return { network, claim };
  }
  throw new RigError('machine', `no network of 127.0.0.0/8 is free after ${TRIES} tries`, {
    next: 'See what listens there with ss -ltn, and end what is left of other runs.',
  });
}

/** Whoever listens to all addresses has them, too. */
async function freePorts(random: Random, host: string): Promise<Ports> {
  const count = 4;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const first = PORTS.least + below(random, PORTS.most - PORTS.least);
    const servers = await Promise.all(
      Array.from({ length: count }, (_, index) => listenAt(host, first + index)),
    );
    await Promise.all(servers.map((server) => server && close(server)));
    if (servers.includes(undefined)) continue;
    return { api: first, agent: first + 1, etcd: first + 2, etcdPeer: first + 3 };
  }
  throw new RigError('machine', `no ${count} ports in a row are free at ${host} after ${TRIES} tries`);
}

/** Undefined when somebody else listens there. */
function listenAt(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else
        reject(
          new RigError('machine', `cannot listen at ${host}:${port}: ${error.message}`, { cause: error }),
        );
    });
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
