// What programs beside a cluster know of its nodes, from `GET /nodes`. Whatever comes from there ends up in
// another program's configuration: nothing gets through that could mean something there.

import { isIP } from 'node:net';
import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { nodeNameSchema } from '../../model/names.ts';

/** Host name or IP address, as text that is neither. */
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*$/;
const isHost = (text: string): boolean => isIP(text) !== 0 || HOST_NAME.test(text);

/** Where an API listens. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, an IPv6 address in brackets. */
export const textOf = ({ host, port }: Endpoint): string =>
  `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;

/** A list of `host:port` with commas between. Throws `invalid` for any other text. */
export function parseEndpoints(text: string): readonly [Endpoint, ...Endpoint[]] {
  const [first, ...more] = text.split(',').map((part) => {
    const [, bracketed, plain, digits] = /^(?:\[(.*)\]|(.*)):([0-9]{1,5})$/.exec(part.trim()) ?? [];
    const host = bracketed ?? plain ?? '';
    const port = Number(digits);
    const fits = bracketed === undefined ? isHost(host) && isIP(host) !== 6 : isIP(host) === 6;
    if (fits && port >= 1 && port <= 65_535) return { host, port };
    throw new RigError('invalid', `'${part}' says of no API where it listens`, {
      next: 'Give host:port, several with commas between.',
    });
  });
  // A text that is split has at least one part.
  return [first as Endpoint, ...more];
}

/** A node that is to have an API. */
export interface ListedNode {
  readonly name: string;
  /** Null while its agent is away: nobody knows its address then. */
  readonly host: string | null;
}

const page = z.object({ nodes: z.array(z.unknown()), next: nodeNameSchema.nullable() });
/** No more than is needed: a newer daemon may tell more. */
const listed = z.object({
  name: nodeNameSchema,
  address: z.string().refine(isHost).nullable(),
  roles: z.array(z.string()),
  alive: z.boolean(),
});

export interface NodesPage {
  /** Nodes with an API, or that may have one when they are back. */
  readonly nodes: readonly ListedNode[];
  /** Entries that can't be used. */
  readonly refused: number;
  /** `after` of the next page. */
  readonly next: string | null;
}

/** Throws `unavailable` for what is no page of `GET /nodes?alive=any`; single entries that can't be used are left out. */
export function parseNodesPage(json: unknown): NodesPage {
  const parsed = page.safeParse(json);
  if (!parsed.success) throw new RigError('unavailable', 'the answer is no list of nodes');
  const entries = parsed.data.nodes.map((entry) => listed.safeParse(entry).data);
  const nodes = entries.flatMap((entry) =>
    entry === undefined || (entry.alive && !entry.roles.includes('api'))
      ? []
      : [{ name: entry.name, host: entry.address }],
  );
  return { nodes, refused: entries.filter((entry) => entry === undefined).length, next: parsed.data.next };
}

/** A node, and where its API was last known to listen. */
export interface PlacedNode extends Endpoint {
  readonly name: string;
}

/**
 * What is known after another whole list: who is not on it is forgotten, who is away stays where it was last seen,
 * and is left out if it never was. An empty list is no news: whoever answers is a node.
 */
export function placed(
  before: readonly PlacedNode[],
  list: readonly ListedNode[],
  port: number,
): readonly PlacedNode[] {
  if (list.length === 0) return before;
  return list.flatMap(({ name, host }) => {
    if (host !== null) return [{ name, host, port }];
    return before.filter((known) => known.name === name);
  });
}
