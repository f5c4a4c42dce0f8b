// What the commands around fleets have in common: numbers, profiles and endpoints from the
// command line.

import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { parse } from 'yaml';
import { RigError } from '../base/errors.ts';
import {
  type Cluster,
  checkedCount,
  memberName,
  newNode,
  STATE_VERSION,
  withDevices,
} from '../fleet/cluster.ts';
import { BUILT_IN, builtInProfile, type Profile, parseProfile } from '../fleet/profiles.ts';
import { nodeNameSchema } from '../model/names.ts';

/** What a fleet is made of, as the command line has it. */
export interface FleetFlags {
  readonly nodes: number;
  readonly prefix: string;
  readonly etcd?: readonly string[];
  readonly profile: string;
  readonly heartbeat: number;
  readonly sharedDevices: number;
  readonly seenBy: number;
}

export const DEFAULTS = {
  heartbeatSeconds: 10,
  sharedDevices: 0,
  seenBy: 2,
  state: 'runs/sim',
  prefix: 'sim',
};
/** Comparisons of disk and etcd; no more of them than heartbeats. */
const RECONCILE_PER_HEARTBEAT = 3;
const FAIL_OVER_MS = 5000;

export function parseCount(text: string): number {
  return checkedCount(Number(text === '' ? Number.NaN : text), text);
}

export function parsePrefix(text: string): string {
  // A number comes after it, and `-shared-` or `-control` before that.
  if (nodeNameSchema.safeParse(text).success && text.length <= 40) return text;
  throw new RigError('invalid', `'${text}' can't begin the names of nodes`, {
    next: 'Give 1-40 of a-z, 0-9 and inner -.',
  });
}

/** Several, separated by commas. */
export function parseEndpoints(text: string): readonly string[] {
  const endpoints = text.split(',').map((endpoint) => endpoint.trim().replace(/\/$/, ''));
  const isEndpoint = (text: string): boolean =>
    /^https?:\/\/[A-Za-z0-9.:[\]-]+$/.test(text) && URL.canParse(text);
  const wrong = endpoints.find((endpoint) => !isEndpoint(endpoint));
  if (wrong === undefined) return endpoints;
  throw new RigError('invalid', `'${wrong}' is no endpoint of etcd`, {
    next: 'Give URLs such as http://127.0.0.1:2379, separated by commas.',
  });
}

/** Built in, or a YAML file. */
export async function readProfile(
  named: string,
): Promise<{ readonly name: string; readonly profile: Profile }> {
  const known = builtInProfile(named);
  if (known !== undefined) return { name: named, profile: known };
  let input: unknown;
  try {
    input = parse(await readFile(named, 'utf8'), { prettyErrors: false });
  } catch (error) {
    throw new RigError('invalid', `cannot read the profile ${named}: ${(error as Error).message}`, {
      next: `Name one of ${Object.keys(BUILT_IN).join(', ')}, or a file in YAML.`,
      cause: error,
    });
  }
  return { name: basename(named).replace(/\.ya?ml$/, ''), profile: parseProfile(input, named) };
}

/** The profile, by its name or by another if that is a different one's: nodes that are there keep theirs. */
export function withProfile(
  cluster: Cluster,
  { name, profile }: { readonly name: string; readonly profile: Profile },
): Cluster {
  const isOther = (known: Profile | undefined): boolean =>
    known !== undefined && JSON.stringify(known) !== JSON.stringify(profile);
  let free = name;
  for (let number = 2; isOther(cluster.profiles[free]); number += 1) free = `${name}-${number}`;
  return { ...cluster, profile: free, profiles: { ...cluster.profiles, [free]: profile } };
}

export async function clusterOf(flags: FleetFlags): Promise<Cluster> {
  const { name, profile } = await readProfile(flags.profile);
  const nodes = Array.from({ length: flags.nodes }, (_, index) =>
    newNode(memberName(flags.prefix, index + 1), name),
  );
  const cluster: Cluster = {
    version: STATE_VERSION,
    prefix: flags.prefix,
    etcd: [...(flags.etcd ?? [])],
    heartbeatSeconds: flags.heartbeat,
    reconcileIntervalMs: flags.heartbeat * RECONCILE_PER_HEARTBEAT * 1000,
    failOverMs: FAIL_OVER_MS,
    profile: name,
    profiles: { [name]: profile },
    nodes,
    devices: [],
  };
  if (flags.sharedDevices === 0) return cluster;
  return withDevices(cluster, { count: flags.sharedDevices, seenBy: flags.seenBy });
}
