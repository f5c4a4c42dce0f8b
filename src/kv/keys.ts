// Where everything lives in etcd (design.md, "Cobalt's contract").

export const ROOT = '/cobalt/v1/';
export const VERSION_KEY = `${ROOT}version`;
/** The cluster's own identity; written together with the version, by whoever comes first; never changed. No lease. */
export const CLUSTER_KEY = `${ROOT}cluster`;
export const LEADER_KEY = `${ROOT}engine/leader`;
export const NODES_PREFIX = `${ROOT}nodes/`;
export const SPECS_PREFIX = `${ROOT}specs/`;
/** What agents leave there to know the store again (daemon/agent/binding.ts). No lease. */
export const DISKS_PREFIX = `${ROOT}disks/`;
export const VOLUMES_PREFIX = `${ROOT}volumes/`;

export const nodeKey = (name: string): string => `${NODES_PREFIX}${name}`;
export const specKey = (name: string): string => `${SPECS_PREFIX}${name}`;
export const diskKey = (node: string): string => `${DISKS_PREFIX}${node}`;
export const volumeKey = (id: string): string => `${VOLUMES_PREFIX}${id}`;

/** The last part of a key under a prefix: the node's name or the volume's id. */
export function nameIn(prefix: string, key: string): string {
  return key.slice(prefix.length);
}
