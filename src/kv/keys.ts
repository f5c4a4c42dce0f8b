// Where everything lives in etcd. Values are JSON (model/), validated on every read.

export const ROOT = '/cobalt/v1/';
export const VERSION_KEY = `${ROOT}version`;
/** The cluster's own identity; written together with the version, by whoever comes first; never changed. No lease. */
export const CLUSTER_KEY = `${ROOT}cluster`;
export const LEADER_KEY = `${ROOT}engine/leader`;
export const NODES_PREFIX = `${ROOT}nodes/`;
export const SPECS_PREFIX = `${ROOT}specs/`;
/** What agents leave there to know the store again (daemon/agent/binding.ts). No lease. */
const DISKS_PREFIX = `${ROOT}disks/`;
/** By volume: what its node must know from another before it exports it (daemon/agent/move/doubts.ts). No lease. */
export const DOUBTS_PREFIX = `${ROOT}doubts/`;
export const VOLUMES_PREFIX = `${ROOT}volumes/`;
/** By parent: the newest clone that was ordered of it. A deletion of the parent compares it. No lease. */
const CLONES_PREFIX = `${ROOT}clones/`;
/** Callbacks of consumers. No lease. The values hold secrets. */
export const SUBSCRIPTIONS_PREFIX = `${ROOT}subscriptions/`;
/** What the cluster's agents know each other by; made with the cluster. No lease. Its value is a secret. */
export const SECRET_KEY = `${ROOT}secret`;

export const nodeKey = (name: string): string => `${NODES_PREFIX}${name}`;
export const specKey = (name: string): string => `${SPECS_PREFIX}${name}`;
export const diskKey = (node: string): string => `${DISKS_PREFIX}${node}`;
export const doubtKey = (volumeId: string): string => `${DOUBTS_PREFIX}${volumeId}`;
export const volumeKey = (id: string): string => `${VOLUMES_PREFIX}${id}`;

export const clonesKey = (parentId: string): string => `${CLONES_PREFIX}${parentId}`;
export const subscriptionKey = (id: string): string => `${SUBSCRIPTIONS_PREFIX}${id}`;

/** The last part of a key under a prefix: the node's name or the volume's id. */
export function nameIn(prefix: string, key: string): string {
  return key.slice(prefix.length);
}
