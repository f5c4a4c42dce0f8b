// What HAProxy's socket has to be told so that a backend has the servers that it should have. Pure; whoever asks
// reads HAProxy's own state anew each time, so what was refused or lost is simply due again.

import { isIP } from 'node:net';
import { RigError } from '../../base/errors.ts';
import { nodeNameSchema } from '../../model/names.ts';

export const BACKEND = 'api';

/** A node's API, by the node's name. */
export interface Server {
  readonly name: string;
  /** IP address: HAProxy resolves no names of servers that come later. */
  readonly address: string;
  readonly port: number;
}

export interface ServerState extends Server {
  /** Whether its health check holds. */
  readonly isUp: boolean;
  /** Taken out of service, as one is that has just been added or is about to go. */
  readonly isInMaintenance: boolean;
  /** Since it went up or down. */
  readonly unchangedSeconds: number;
}

/** Twice in two seconds means down, once means up. */
const CHECK = 'check inter 1s fall 2 rise 1';

/** Longer than any call may last (`timeout server` of images/front-door/haproxy.cfg): what is left then is a stream. */
const RELEASED_AFTER_SECONDS = 6;

/**
 * Commands that change the servers from `current` to `wanted`, in order. A socket takes a command a line, so one that
 * would not fit its place is an error here (`invalid`), wherever it came from.
 */
export function commandsFor(current: readonly ServerState[], wanted: readonly Server[]): readonly string[] {
  const byName = new Map(current.map((server) => [server.name, server]));
  const names = new Set(wanted.map(({ name }) => name));
  return [
    ...wanted.flatMap((server) => placing(server, byName.get(server.name))),
    ...current.filter(({ name }) => !names.has(name)).flatMap(removal),
    ...releases(current),
  ];
}

function placing(server: Server, before: ServerState | undefined): readonly string[] {
  const id = idOf(server);
  const { address, port } = checked(server);
  const host = isIP(address) === 6 ? `[${address}]` : address;
  if (before === undefined) return [`add server ${id} ${host}:${port} ${CHECK}`, ...opening(id)];
  const isElsewhere = before.address !== address || before.port !== port;
  return [
    ...(isElsewhere ? [`set server ${id} addr ${address} port ${port}`] : []),
    ...(before.isInMaintenance ? opening(id) : []),
  ];
}

/** Into service, but down until its first check has held: HAProxy would take it for up. */
const opening = (id: string): readonly string[] => [
  `enable health ${id}`,
  `set server ${id} state ready`,
  `set server ${id} health down`,
];

/** HAProxy removes none that has connections; what is left of them is shut by the next time. */
const removal = (server: Server): readonly string[] => {
  const id = idOf(server);
  return [`set server ${id} state maint`, `shutdown sessions server ${id}`, `del server ${id}`];
};

/**
 * Streams of servers that are down, so that their clients resume elsewhere. Not their calls, which HAProxy may yet send
 * to another. While none is up, as in an outage of etcd, there is no elsewhere: a stream is kept until there is, lest
 * its client come back to a refusal.
 */
function releases(current: readonly ServerState[]): readonly string[] {
  if (!current.some(({ isUp, isInMaintenance }) => isUp && !isInMaintenance)) return [];
  return current
    .filter(({ isUp, isInMaintenance }) => !isUp && !isInMaintenance)
    .filter(({ unchangedSeconds }) => unchangedSeconds >= RELEASED_AFTER_SECONDS)
    .map((server) => `shutdown sessions server ${idOf(server)}`);
}

function idOf({ name }: Server): string {
  if (nodeNameSchema.safeParse(name).success) return `${BACKEND}/${name}`;
  throw new RigError('invalid', `${JSON.stringify(name)} is no name of a node`);
}

function checked(server: Server): Server {
  const { address, port } = server;
  if (isIP(address) !== 0 && !address.includes('%') && Number.isInteger(port) && port > 0 && port <= 65_535)
    return server;
  throw new RigError('invalid', `${JSON.stringify(address)}:${port} is no address of an API`);
}

/** From `show servers state`: its second line names the columns. Throws `unavailable` for any other text. */
export function parseServersState(text: string): readonly ServerState[] {
  const [version, header = '', ...lines] = text.trim().split('\n');
  const columns = header.replace(/^# /, '').split(' ');
  if (version !== '1' || !columns.includes('srv_op_state'))
    throw new RigError('unavailable', `HAProxy tells of no servers: ${text.slice(0, 200)}`);
  return lines.map((line) => {
    const values = line.split(' ');
    const field = (name: string): string => values[columns.indexOf(name)] ?? '';
    return {
      name: field('srv_name'),
      address: field('srv_addr'),
      port: Number(field('srv_port')),
      // 0 is stopped; 1 to 3 are starting, running and stopping softly.
      isUp: field('srv_op_state') !== '0',
      // Any of SRV_ADMF_*: maintenance or drain, forced or inherited.
      isInMaintenance: field('srv_admin_state') !== '0',
      unchangedSeconds: Number(field('srv_time_since_last_change')),
    };
  });
}
