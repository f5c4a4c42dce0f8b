// How each kind of work is drawn from what a client knows. None checks whether
// the cluster will grant it: a refusal is an answer like any other.

import { between, inPercent, oneOf } from '../../base/choose.ts';
import { hex, type Random } from '../../base/random.ts';
import { COMPRESSIONS } from '../../model/volume.ts';
import type { WorkCall } from './call.ts';
import type { Knowledge, KnownVolume } from './knowledge.ts';
import type { Work, Workload } from './spec.ts';

/** What a client can see when it is about to call. */
export interface Outlook {
  readonly workload: Workload;
  readonly known: Knowledge;
  /** Name of the client; its files are its own. */
  readonly client: string;
  readonly nowMs: number;
  readonly nodes: readonly string[];
  /** Of each node: what a volume may be constrained to. */
  readonly labels: readonly Readonly<Record<string, string>>[];
  /** Addresses of all consumers; `own` is that of the one whose mounts the client uses. */
  readonly consumers: readonly string[];
  readonly own: string | undefined;
  /** Node at which the consumer has mounted the volume; null while it has not. */
  serverOf(volume: KnownVolume): string | null;
}

/** Undefined: there is nothing to do it on. */
type Draw = (outlook: Outlook, random: Random) => WorkCall | undefined;

/** Draining more would leave the volumes no choice. */
const MOST_DRAINING = 1;
const LEAST_NODES_TO_DRAIN = 3;

export const KINDS: Readonly<Record<Work, Draw>> = {
  create: (outlook, random) => order(outlook, random, undefined),
  clone: (outlook, random) => {
    const parent = oneOf(settled(outlook), random);
    return parent === undefined ? undefined : order(outlook, random, parent);
  },
  resize: (outlook, random) => {
    const body = { requested: { reserved_size: oneOf(outlook.workload.volumes.sizesGib, random) } };
    return change(outlook, random, { method: 'PUT', body });
  },
  reexport: (outlook, random) =>
    change(outlook, random, { method: 'PUT', part: 'exports', body: { exports: rules(outlook, random) } }),
  move: (outlook, random) => {
    const node = inPercent(50, random) ? oneOf(outlook.nodes, random) : undefined;
    return change(outlook, random, {
      method: 'POST',
      part: 'move',
      body: node === undefined ? {} : { node },
    });
  },
  defragment: (outlook, random) => change(outlook, random, { method: 'POST', part: 'defragment', body: {} }),
  compress: (outlook, random) =>
    change(outlook, random, {
      method: 'POST',
      part: 'compress',
      body: { algorithm: oneOf(COMPRESSIONS, random) },
    }),
  remove: (outlook, random) => change(outlook, random, { method: 'DELETE' }),
  get: (outlook, random) => {
    const all = [...outlook.known.volumes.values()];
    const restless = all.filter(({ state }) => state !== 'ready');
    const volume = oneOf(restless.length > 0 && inPercent(50, random) ? restless : all, random);
    return volume && call(outlook, random, { method: 'GET', path: `/volumes/${volume.id}` });
  },
  list: (outlook, random) => call(outlook, random, { method: 'GET', path: '/volumes?limit=1000' }),
  write: (outlook, random) => {
    const bytes = oneOf(outlook.workload.fileBytes, random) ?? 1;
    const fresh = `${outlook.client.replaceAll(' ', '-')}-${hex(random, 8)}`;
    const place = oneOf(mounted(outlook, ['rw']), random);
    return (
      place && { kind: 'nfs-write', ...place, file: overwritten(outlook, random, place) ?? fresh, bytes }
    );
  },
  read: (outlook, random) => {
    const { files } = outlook.known;
    const place = oneOf(
      mounted(outlook, ['rw', 'ro']).filter(({ volume }) => files.has(volume)),
      random,
    );
    const file = place && oneOf(files.get(place.volume) ?? [], random);
    return file === undefined || place === undefined ? undefined : { kind: 'nfs-read', ...place, file };
  },
  drain: (outlook, random) => {
    const { known, nodes } = outlook;
    if (known.draining.size >= MOST_DRAINING || nodes.length < LEAST_NODES_TO_DRAIN) return undefined;
    return putDraining(outlook, random, { node: oneOf(nodes, random), draining: true });
  },
  undrain: (outlook, random) =>
    putDraining(outlook, random, { node: oneOf([...outlook.known.draining], random), draining: false }),
};

const settled = ({ known }: Outlook): readonly KnownVolume[] =>
  [...known.volumes.values()].filter(({ state }) => state === 'ready');

interface Place {
  readonly volume: string;
  readonly server: string;
}

/** Where the client's consumer may go with such access, as far as it knows. */
function mounted(outlook: Outlook, access: readonly string[]): readonly Place[] {
  return [...outlook.known.volumes.values()].flatMap((volume) => {
    const rule = volume.exports.find(({ host }) => host === outlook.own);
    if (rule === undefined || !access.includes(rule.access)) return [];
    const server = outlook.serverOf(volume);
    return server === null || isShunned(outlook, server) ? [] : [{ volume: volume.id, server }];
  });
}

/** One of its own there, if it is to be another content for that. */
function overwritten(
  { workload, known }: Outlook,
  random: Random,
  { volume }: Pick<Place, 'volume'>,
): string | undefined {
  const { overwritePercent = 0 } = workload;
  return overwritePercent > 0 && inPercent(overwritePercent, random)
    ? oneOf(known.files.get(volume) ?? [], random)
    : undefined;
}

const isShunned = ({ known, nowMs }: Outlook, node: string): boolean =>
  (known.shunned.get(node) ?? Number.NEGATIVE_INFINITY) > nowMs;

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly ifMatch?: string;
}

/** At a node that answers, as far as the client knows; at any when it knows of none. */
function call(outlook: Outlook, random: Random, request: Request): WorkCall | undefined {
  const awake = outlook.nodes.filter((node) => !isShunned(outlook, node));
  const node = oneOf(awake.length > 0 ? awake : outlook.nodes, random);
  return node === undefined ? undefined : { kind: 'http', node, ...request };
}

function order(outlook: Outlook, random: Random, parent: KnownVolume | undefined): WorkCall | undefined {
  const { known, workload } = outlook;
  if (known.volumes.size >= workload.volumes.most) return undefined;
  const labels = inPercent(workload.constrainedPercent, random) ? oneOf(outlook.labels, random) : undefined;
  const constraints = labels === undefined ? {} : { constraints: labels };
  const requested = { reserved_size: oneOf(workload.volumes.sizesGib, random), ...constraints };
  const body = {
    name: `${parent === undefined ? 'v' : 'c'}-${hex(random, 6)}`,
    exports: rules(outlook, random),
    // A clone may leave its size to its parent.
    ...((parent === undefined || inPercent(50, random)) && { requested }),
    ...(parent !== undefined && { id: parent.id }),
  };
  return call(outlook, random, { method: 'POST', path: '/volumes', body });
}

/** Mostly everybody may write. */
function rules({ consumers }: Outlook, random: Random): readonly { host: string; access: string }[] {
  return consumers.flatMap((host) => {
    const drawn = between(1, 100, random);
    return drawn > 90 ? [] : [{ host, access: drawn > 80 ? 'ro' : 'rw' }];
  });
}

/** Of any volume that the client knows, whoever ordered it; sometimes on condition of what it saw last. */
function change(
  outlook: Outlook,
  random: Random,
  what: { readonly method: 'POST' | 'PUT' | 'DELETE'; readonly part?: string; readonly body?: unknown },
): WorkCall | undefined {
  const volume = oneOf([...outlook.known.volumes.values()], random);
  if (volume === undefined) return undefined;
  const { method, part, body } = what;
  const isConditional = inPercent(outlook.workload.conditionalPercent, random) && volume.etag !== undefined;
  return call(outlook, random, {
    method,
    path: `/volumes/${volume.id}${part === undefined ? '' : `/${part}`}`,
    ...(body !== undefined && { body }),
    ...(isConditional && { ifMatch: volume.etag }),
  });
}

function putDraining(
  outlook: Outlook,
  random: Random,
  { node, draining }: { readonly node: string | undefined; readonly draining: boolean },
): WorkCall | undefined {
  if (node === undefined) return undefined;
  return call(outlook, random, { method: 'PUT', path: `/nodes/${node}`, body: { draining } });
}
