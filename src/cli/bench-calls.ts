// What the benchmarks of a cluster ask of it.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { ExportRule } from '../model/export.ts';
import type { Volume } from '../model/volume.ts';
import type { Deployment } from '../rig/deployment.ts';
import type { VolumeFollower } from './volume-follower.ts';

export interface Bench {
  readonly clock: Clock;
  readonly deployment: Deployment;
  readonly volumes: VolumeFollower;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

export const HOST: ExportRule = { host: '10.0.0.1', access: 'rw', squash: 'none' };

export async function create(
  bench: Bench,
  name: string,
  exports: readonly ExportRule[] = [HOST],
): Promise<{ readonly volume: Volume; readonly elapsedMs: number }> {
  const { clock, volumes } = bench;
  const startedMs = clock.monotonicMs();
  const body = { name, requested: { reserved_size: 1 }, exports };
  const { id } = (await order(bench, { method: 'POST', path: '/volumes', body })) as Volume;
  const { volume, atMs } = await volumes.until(id, 'it to be ready', (now) => now?.state === 'ready');
  return { volume, elapsedMs: atMs - startedMs };
}

/** A call that must be accepted. */
export async function order(
  { deployment }: Bench,
  call: { readonly method: string; readonly path: string; readonly body: unknown },
): Promise<unknown> {
  const answer = await fetch(`${await deployment.api('node1')}${call.path}`, {
    method: call.method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(call.body),
  });
  const text = await answer.text();
  if (answer.status !== 202)
    throw new RigError('machine', `${call.method} ${call.path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
