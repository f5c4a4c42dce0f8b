// A member of etcd as a process: what it is told, and the data that outlives it.

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { SYSTEM_PATH } from '../base/command.ts';
import type { ContainerState } from '../rig/deployment.ts';
import { createMember, type Member } from './member.ts';
import type { Place } from './place.ts';

export interface EtcdMember {
  readonly member: Member;
  /** Its data goes; it joins a cluster that exists when it is started. */
  lose(): void;
}

export function createEtcdMember(options: {
  readonly name: string;
  readonly members: readonly string[];
  readonly runId: string;
  readonly clock: Clock;
  readonly place: Place;
  readonly binary: string;
  readonly onState: (state: ContainerState) => void;
}): EtcdMember {
  const { name, members, runId, clock, place, binary, onState } = options;
  const folder = join(place.folder, name);
  let isRejoining = false;
  const { etcd, etcdPeer } = place.ports;
  const clientUrl = `http://${place.addressOf(name)}:${etcd}`;
  const peerUrlOf = (member: string): string => `http://${place.addressOf(member)}:${etcdPeer}`;
  // All by the environment, as in the containers.
  const environment = () => ({
    PATH: SYSTEM_PATH,
    ETCD_NAME: name,
    ETCD_DATA_DIR: folder,
    ETCD_LISTEN_CLIENT_URLS: clientUrl,
    ETCD_ADVERTISE_CLIENT_URLS: clientUrl,
    ETCD_LISTEN_PEER_URLS: `http://${place.behind(name)}:${etcdPeer}`,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: peerUrlOf(name),
    ETCD_INITIAL_CLUSTER: members.map((member) => `${member}=${peerUrlOf(member)}`).join(','),
    ETCD_INITIAL_CLUSTER_TOKEN: runId,
    ...(isRejoining && { ETCD_INITIAL_CLUSTER_STATE: 'existing' }),
  });
  const member = createMember({
    name,
    runId,
    clock,
    program: () => ({ file: binary, args: [], environment: environment() }),
    onState,
  });
  return {
    member,
    lose: () => {
      if (existsSync(folder)) rmSync(folder, { recursive: true });
      isRejoining = true;
      member.forget();
    },
  };
}
