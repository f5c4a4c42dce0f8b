// When all is done, disks, NFS servers and etcd say the same of every volume:
// it is in one place, whole, and exported there alone.

import { waitFor } from '../../src/base/retry.ts';
import { gibToBytes } from '../../src/base/units.ts';
import { VOLUMES_PREFIX } from '../../src/kv/keys.ts';
import type { Volume } from '../../src/model/volume.ts';
import { clock, type TestCluster, type TestNode } from './cluster.ts';

/** Contents of files, by volume. */
export type Contents = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** Everything that differs; empty when there is agreement. */
export async function disagreements(
  cluster: TestCluster,
  nodes: readonly TestNode[],
  contents: Contents,
): Promise<readonly string[]> {
  const { kvs } = await cluster.kv.list(VOLUMES_PREFIX);
  const volumes = kvs.map(({ value }) => JSON.parse(value) as Volume);
  return [
    ...volumes.flatMap((volume) => unfinished(volume)),
    ...nodes.flatMap((node) => differencesOn(node, volumes)),
    ...[...contents].flatMap(([id, files]) => lost(id, files, { volumes, nodes })),
  ];
}

/** Resolves when they agree, and have done so for `heldMs`; throws with what differs. */
export async function untilAgreement(
  cluster: TestCluster,
  { nodes, contents, heldMs }: { nodes: readonly TestNode[]; contents: Contents; heldMs: number },
): Promise<void> {
  let last: readonly string[] = [];
  let agreedAtMs: number | undefined;
  await waitFor({
    clock,
    what: 'disks, NFS servers and etcd to agree',
    timeoutMs: 10_000,
    intervalMs: 20,
    probe: async () => {
      last = await disagreements(cluster, nodes, contents);
      if (last.length > 0) agreedAtMs = undefined;
      else agreedAtMs ??= clock.monotonicMs();
      return agreedAtMs !== undefined && clock.monotonicMs() - agreedAtMs >= heldMs ? true : undefined;
    },
    describe: () => last.join('; '),
  });
}

function unfinished({ id, state, control, actual, requested, exports }: Volume): string[] {
  const isDone =
    state === 'ready' &&
    control.error === null &&
    control.task === null &&
    actual?.reserved_size === requested.reserved_size &&
    JSON.stringify(actual.exports) === JSON.stringify(exports);
  return isDone ? [] : [`${id} is ${state}: ${JSON.stringify({ control, actual, requested, exports })}`];
}

function differencesOn({ name, storage, exporter }: TestNode, volumes: readonly Volume[]): string[] {
  const own = new Map(volumes.filter(({ node }) => node === name).map((volume) => [volume.id, volume]));
  const { subvolumes, copies } = storage.disk;
  const exported = exporter.server.exports;
  const wanted = [...own.values()].filter(({ exports }) => exports.length > 0).map(({ id }) => id);
  return [
    ...differing(`${name} has the subvolumes`, [...subvolumes.keys()].sort(), [...own.keys()].sort()),
    ...differing(`${name} has the copies`, [...copies.keys()], []),
    ...differing(`${name} exports`, [...exported.keys()].sort(), wanted.sort()),
    ...[...own.values()].flatMap((volume) => {
      const { id, actual, exports } = volume;
      const quotaBytes = gibToBytes(actual?.reserved_size ?? 0);
      return [
        ...differing(`${name} limits ${id} to`, subvolumes.get(id)?.quotaBytes, quotaBytes),
        ...differing(`${name} exports ${id} to`, exported.get(id) ?? [], exports),
        ...differing(`${name} compresses ${id} with`, subvolumes.get(id)?.compression, actual?.compression),
      ];
    }),
  ];
}

function lost(
  id: string,
  files: Readonly<Record<string, string>>,
  { volumes, nodes }: { readonly volumes: readonly Volume[]; readonly nodes: readonly TestNode[] },
): string[] {
  const volume = volumes.find((candidate) => candidate.id === id);
  const node = nodes.find(({ name }) => name === volume?.node);
  const found = node?.storage.disk.subvolumes.get(id)?.files ?? new Map();
  return differing(`the files of ${id} are`, Object.fromEntries(found), files);
}

function differing(what: string, found: unknown, wanted: unknown): string[] {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  return left === right ? [] : [`${what} ${left}, not ${right}`];
}
