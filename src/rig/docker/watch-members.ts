// The members of a cluster as they come, go, die and freeze: looked at whenever the
// engine says that something has happened to one, and every now and then besides.

import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';
import type { Role } from '../../model/volume.ts';
import { type RoleState, rolesIn } from '../by-hand/roles.ts';
import { API_PORT } from '../compose/node-environment.ts';
import { RUN_LABEL } from '../compose/render.ts';
import { type FoundCluster, type FoundMember, listClusters } from './clusters.ts';

export interface WatchedMember extends FoundMember {
  /** Of a node that runs; undefined for all else, and where nobody could tell. */
  readonly roles: ReadonlyMap<Role, RoleState> | undefined;
}

export interface WatchedCluster extends Omit<FoundCluster, 'members'> {
  readonly members: readonly WatchedMember[];
}

export interface WatchMembersOptions {
  readonly docker: Docker;
  readonly clock: Clock;
  readonly runId: string;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Undefined: nothing is there of it. An error: the engine did not tell. Awaited before the next look. */
  readonly onLook: (found: WatchedCluster | undefined | RigError) => void | Promise<void>;
}

export interface MemberWatch {
  /** Looks now, instead of when it is time. */
  look(): void;
  /** Resolves when the signal has fired. */
  readonly done: Promise<void>;
}

/** A role's process that ends or freezes is no event of the engine's; it is noticed within this. */
const LOOK_EVERY_MS = 1_500;
/** Of those that a container has, what changes how a member is. */
const EVENTS = ['create', 'start', 'die', 'pause', 'unpause', 'destroy'];

export function watchMembers(options: WatchMembersOptions): MemberWatch {
  const { clock, signal } = options;
  let wake = new AbortController();
  const look = (): void => wake.abort();
  const onAbort = (): void => look();
  signal.addEventListener('abort', onAbort, { once: true });
  const events = followEvents(options, look);
  const looks = async (): Promise<void> => {
    while (!signal.aborted) {
      wake = new AbortController();
      await options.onLook(await lookOnce(options).catch((error: unknown) => RigError.from(error)));
      await clock.sleep(LOOK_EVERY_MS, wake.signal).catch(() => undefined);
    }
  };
  return { look, done: Promise.all([looks(), events]).then(() => undefined) };
}

/** Calls back at each of the engine's events, until the signal fires. An engine that goes is asked again. */
async function followEvents(
  { docker, clock, runId, signal }: WatchMembersOptions,
  onEvent: () => void,
): Promise<void> {
  const filters = JSON.stringify({ type: ['container'], label: [`${RUN_LABEL}=${runId}`], event: EVENTS });
  while (!signal.aborted) {
    try {
      const stream = (await docker.getEvents({ filters })) as unknown as Readable;
      const hangUp = (): void => void stream.destroy();
      signal.addEventListener('abort', hangUp, { once: true });
      if (signal.aborted) hangUp();
      await new Promise<void>((resolve) => {
        // It is an event whatever it says: the look that follows tells what has become of it.
        stream.on('data', onEvent).once('error', resolve).once('close', resolve);
      });
      signal.removeEventListener('abort', hangUp);
    } catch {
      // What is wrong with it, the looks tell.
    }
    await clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
  }
}

async function lookOnce({ docker, runId }: WatchMembersOptions): Promise<WatchedCluster | undefined> {
  const found = (await listClusters(docker)).find((cluster) => cluster.runId === runId);
  if (found === undefined) return undefined;
  const members = await Promise.all(
    found.members.map(async (member) => ({ ...member, roles: await rolesOf(docker, member) })),
  );
  return { ...found, members };
}

/** By the engine's own ps: a command within would cost a process a look. */
async function rolesOf(
  docker: Docker,
  member: FoundMember,
): Promise<ReadonlyMap<Role, RoleState> | undefined> {
  if (member.state !== 'running' || !member.ports.has(API_PORT)) return undefined;
  const container = docker.getContainer(member.container);
  // It may end at this very moment, which the next look sees.
  const top = await container.top({ ps_args: '-eo pid,stat,args' }).catch(() => undefined);
  if (top === undefined) return undefined;
  const { Processes: rows } = top as { readonly Processes: readonly (readonly string[])[] | null };
  // Of one whose processes have just ended.
  if (rows === null) return undefined;
  const lines = rows.map(([_pid = '', state = '', ...args]) => `${state} ${args.join(' ')}`);
  return rolesIn({ exitCode: 0, stdout: lines.join('\n'), stderr: '' });
}
