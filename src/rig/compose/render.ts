// A topology as a Compose file. Pure and deterministic, so that the file that a
// run used can be read, compared and rendered again.

import { stringify } from 'yaml';
import { RigError } from '../../base/errors.ts';
import { CONSUMER_PORT } from '../consumer/protocol.ts';
import { etcdMembers, type Topology, type TopologyNode } from '../topology.ts';
import { API_PORT, ETCD_PORT, nodeEnvironment } from './node-environment.ts';

/** The label that says which run a container, network or volume belongs to. */
export const RUN_LABEL = 'dev.cobalt-rig.run';

/**
 * The ports of the host from which the engine chooses. Left to itself it takes those
 * that kernels give to outgoing connections, and gives up after ten that are in use:
 * ten containers that others publish to all addresses are enough.
 */
export const PUBLISHED_PORTS = '20000-29999';
/** Compose starts what has a profile only when it is named. */
const LATER = { profiles: ['later'] };

/** Of etcd's members, for each other: on the cluster's own network only. */
export const PEER_PORT = 2380;

export interface Images {
  readonly etcd: string;
  readonly node: string;
  readonly consumer: string;
}

export interface ComposeOptions {
  readonly topology: Topology;
  /** Compose's project: prefix of every name, so that runs side by side don't meet. */
  readonly project: string;
  /** Put on everything as {@link RUN_LABEL}; without it (for exploration by hand) there are no labels. */
  readonly runId?: string;
  readonly images: Images;
  /** Members of etcd whose data is lost: they join a cluster that exists. Default: none. */
  readonly rejoining?: readonly string[];
  /** Whether the engine asks members for their health; default: true. */
  readonly healthchecks?: boolean;
  /** Text put before the document, as comments; a line each. */
  readonly header?: readonly string[];
}

type Section = Readonly<Record<string, unknown>>;

/** The Compose file. The same options always give the same text. */
export function renderCompose(options: ComposeOptions): string {
  const { topology, project, runId } = options;
  const labels: Section = runId === undefined ? {} : { labels: { [RUN_LABEL]: runId } };
  const volumes = [...etcdMembers(topology), ...topology.nodes.map((node) => node.name)].map((name) => [
    dataVolume(name),
    labels,
  ]);
  const document = {
    name: project,
    services: {
      ...Object.fromEntries(
        etcdMembers(topology).map((name) => [name, { ...etcdService(options, name), ...labels }]),
      ),
      ...Object.fromEntries(
        topology.nodes.map((node) => [node.name, { ...nodeService(options, node), ...labels }]),
      ),
      ...Object.fromEntries(
        topology.consumers.map((name) => [name, { ...consumerService(options, name), ...labels }]),
      ),
    },
    networks: { default: labels },
    volumes: Object.fromEntries(volumes),
  };
  return formatCompose(document, options.header);
}

/** As YAML, with its header as comments. */
export function formatCompose(document: unknown, header: readonly string[] = []): string {
  const comment = header.map((line) => `# ${line}`.trimEnd()).join('\n');
  const yaml = stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
  return comment === '' ? yaml : `${comment}\n\n${yaml}`;
}

const dataVolume = (name: string): string => `${name}-data`;

// Images are built on this engine, whoever builds them: without `never`, Compose would
// try to pull a missing one and complain of denied access instead of its absence.
export const UNPULLED = { pull_policy: 'never' };

// An init as PID 1 passes signals on, and reaps what a killed process leaves behind.
export const INIT = { init: true };

/** `test`: the command that the engine runs in the container. */
function healthcheck(
  isWanted: boolean,
  { test, startPeriod }: { readonly test: readonly string[]; readonly startPeriod: string },
): Section {
  const rhythm = { interval: '1s', timeout: '3s', retries: 3, start_period: startPeriod };
  return isWanted ? { healthcheck: { test, ...rhythm } } : {};
}

function etcdService(
  { topology, images, rejoining, healthchecks = true }: ComposeOptions,
  name: string,
): Section {
  return {
    image: images.etcd,
    ...UNPULLED,
    ...INIT,
    hostname: name,
    stop_grace_period: '5s',
    // It is root, and its data folder root's: it needs no right beyond that.
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    environment: {
      ETCD_NAME: name,
      ETCD_DATA_DIR: '/var/lib/etcd',
      ETCD_LISTEN_CLIENT_URLS: `http://0.0.0.0:${ETCD_PORT}`,
      ETCD_ADVERTISE_CLIENT_URLS: `http://${name}:${ETCD_PORT}`,
      ...peerEnvironment(etcdMembers(topology), name),
      ...(rejoining?.includes(name) && { ETCD_INITIAL_CLUSTER_STATE: 'existing' }),
    },
    ports: [published(ETCD_PORT)],
    volumes: [`${dataVolume(name)}:/var/lib/etcd`],
    ...healthcheck(healthchecks, { test: ['CMD', 'etcdctl', 'endpoint', 'health'], startPeriod: '30s' }),
  };
}

/** Who the members are and how they reach each other: on the cluster's own network only, no port is published. */
function peerEnvironment(members: readonly string[], name: string): Section {
  const isAlone = members.length === 1;
  // A single member has no peers; nobody outside its container needs to reach this.
  const urlOf = (member: string): string => `http://${isAlone ? '127.0.0.1' : member}:${PEER_PORT}`;
  return {
    ETCD_LISTEN_PEER_URLS: isAlone ? urlOf(name) : `http://0.0.0.0:${PEER_PORT}`,
    ETCD_INITIAL_ADVERTISE_PEER_URLS: urlOf(name),
    ETCD_INITIAL_CLUSTER: members.map((member) => `${member}=${urlOf(member)}`).join(','),
  };
}

function nodeService({ topology, images, healthchecks = true }: ComposeOptions, node: TopologyNode): Section {
  const image = imageOf(topology, images);
  return {
    image,
    ...UNPULLED,
    ...INIT,
    ...(node.starts === 'later' && LATER),
    hostname: node.name,
    stop_grace_period: '10s',
    // What BTRFS on a loop device and the NFS server need, and no more: `privileged`
    // would be more, and fails on a host that itself lacks a capability.
    cap_add: ['SYS_ADMIN', 'DAC_READ_SEARCH', 'NET_ADMIN'],
    security_opt: ['seccomp=unconfined', 'apparmor=unconfined'],
    // Block major 7 is the loop devices, character 10:237 is loop-control, 10:229 is FUSE.
    device_cgroup_rules: [
      'b 7:* rmw',
      'c 10:237 rmw',
      ...(node.disk === 'breakable' ? ['c 10:229 rmw'] : []),
    ],
    environment: nodeEnvironment(topology, node),
    ports: [published(API_PORT)],
    volumes: [`${dataVolume(node.name)}:/var/lib/cobalt`],
    // No depends_on: a node starts and waits by itself while etcd is absent.
    ...healthcheck(healthchecks, {
      test: ['CMD', 'curl', '-fsS', '-m', '2', `http://127.0.0.1:${API_PORT}/readyz`],
      startPeriod: '60s',
    }),
  };
}

/** Throws `invalid` for a system that is no image, and not these sources either. */
function imageOf({ system }: Topology, images: Images): string {
  if (system.kind === 'source') return images.node;
  if (system.kind === 'image') return system.image;
  throw new RigError('invalid', `containers are made from images, not from the path ${system.path}`, {
    next: 'Name an image, or use --mode process.',
  });
}

function consumerService({ images }: ComposeOptions, name: string): Section {
  return {
    image: images.consumer,
    ...UNPULLED,
    ...INIT,
    hostname: name,
    stop_grace_period: '2s',
    cap_drop: ['ALL'],
    // NFS clients that are root call from a port below 1,024.
    cap_add: ['NET_BIND_SERVICE'],
    security_opt: ['no-new-privileges:true'],
    // KVM, where there is one: images/consumer-os has its device.
    device_cgroup_rules: ['c 10:232 rw'],
    ports: [published(CONSUMER_PORT)],
  };
}

/** On a free port of the host's loopback interface; Compose tells which. */
export const published = (port: number): string => `127.0.0.1:${PUBLISHED_PORTS}:${port}`;
