// Volumes by way of the API, by the names that people give them.

import { z } from 'zod';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { waitFor } from '../base/retry.ts';
import { isVolumeId } from '../model/names.ts';
import { type Volume, volumeSchema } from '../model/volume.ts';
import { callApi } from './api.ts';
import type { ChosenCluster } from './clusters.ts';

/** As the API shows it: what it has besides is for others. */
const viewSchema = volumeSchema.loose();
const pageSchema = z.object({ volumes: z.array(viewSchema), next: z.string().nullable() });

/** All of them, or those that a query (`name=…`) is about. */
export async function listVolumes(
  cluster: ChosenCluster,
  query: Readonly<Record<string, string>> = {},
): Promise<readonly Volume[]> {
  const all: Volume[] = [];
  let after: string | null = null;
  do {
    const params: string = new URLSearchParams({ ...query, ...(after !== null && { after }) }).toString();
    const { body } = await callApi(cluster, { path: `/volumes${params === '' ? '' : `?${params}`}` });
    const page = pageSchema.parse(body);
    all.push(...page.volumes);
    after = page.next;
  } while (after !== null);
  return all;
}

/** By its id or its name. Throws `not_found`, with what there is, and `invalid` for a name that several have. */
export async function volumeNamed(cluster: ChosenCluster, text: string): Promise<Volume> {
  const all = await listVolumes(cluster);
  const found = all.filter(({ id, name }) => (isVolumeId(text) ? id === text : name === text));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  if (first === undefined) {
    const names = all.map(({ name }) => name).join(', ');
    throw new RigError('not_found', `there is no volume '${text}'`, {
      next: names === '' ? 'Order one with rig volume create <name>.' : `Choose from: ${names}.`,
    });
  }
  throw new RigError('invalid', `${found.length} volumes are called '${text}'`, {
    next: `Name one by its id: ${found.map(({ id }) => id).join(', ')}.`,
  });
}

/** Long enough for a move of what people write by hand. */
const DONE_WITHIN_MS = 60_000;

/**
 * Until it holds; a volume that is gone is undefined. Throws `timeout` with what was last seen, and at once where the
 * volume says that something went wrong with it.
 */
export async function untilVolume(
  cluster: ChosenCluster,
  id: string,
  wanted: { readonly what: string; readonly holds: (volume: Volume | undefined) => boolean },
): Promise<Volume | undefined> {
  let seen: Volume | undefined;
  const { what, holds } = wanted;
  const found = await waitFor({
    clock: createSystemClock(),
    what: `volume ${id} to be ${what}`,
    timeoutMs: DONE_WITHIN_MS,
    intervalMs: 100,
    probe: async () => {
      [seen] = (await listVolumes(cluster)).filter((volume) => volume.id === id);
      return holds(seen) ? { volume: seen } : undefined;
    },
    describe: () => (seen === undefined ? 'it is gone' : `${seen.state} ${seen.control.error ?? ''}`.trim()),
  });
  return found.volume;
}
