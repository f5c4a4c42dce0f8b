// Whom Prometheus is to ask, as it reads it from a file (its documentation, "file_sd_config").

import { z } from 'zod';
import { RigError } from '../../base/errors.ts';
import { type Endpoint, type PlacedNode, parseEndpoints, textOf } from '../overlay/nodes.ts';

export interface Targets {
  readonly nodes: readonly PlacedNode[];
  readonly etcd: readonly Endpoint[];
  /** Undefined where there is none. */
  readonly frontDoor: Endpoint | undefined;
}

/** The file's text; the same for the same targets. */
export function formatTargets({ nodes, etcd, frontDoor }: Targets): string {
  const groups = [
    ...nodes.map((node) => ({ targets: [textOf(node)], labels: { job: 'node', node: node.name } })),
    { targets: etcd.map(textOf), labels: { job: 'etcd' } },
    { targets: frontDoor === undefined ? [] : [textOf(frontDoor)], labels: { job: 'front-door' } },
  ];
  return `${JSON.stringify(
    groups.filter(({ targets }) => targets.length > 0),
    null,
    2,
  )}\n`;
}

const memberList = z.object({ members: z.array(z.object({ clientURLs: z.array(z.string()).default([]) })) });
const CLIENT_URL = /^http:\/\/([^/]+)\/?$/;

/**
 * Where the members of etcd listen, from `/v3/cluster/member/list`; one that has yet to start tells of no address.
 * Throws `unavailable` for what is no such list.
 */
export function parseMembers(json: unknown): readonly Endpoint[] {
  const parsed = memberList.safeParse(json);
  if (!parsed.success) throw new RigError('unavailable', 'the answer is no list of members of etcd');
  return parsed.data.members.flatMap(({ clientURLs }) => {
    const [, address] = CLIENT_URL.exec(clientURLs[0] ?? '') ?? [];
    return address === undefined ? [] : parseEndpoints(address);
  });
}
