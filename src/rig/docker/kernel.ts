// What the kernel under this process can do. Every distribution tells it in a
// different place, so all are asked.

import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { RigError } from '../../base/errors.ts';

/** One feature under the names that different sources know it by. */
export interface KernelFeature {
  /** In a kernel's configuration: `CONFIG_BTRFS_FS`. */
  readonly option: string;
  /** As a module: `btrfs`. */
  readonly module: string;
  /** In /proc/filesystems, for a filesystem. */
  readonly filesystem?: string;
}

/** What the kernel says of itself; empty where a source isn't there. */
export interface KernelSources {
  readonly filesystems: string;
  readonly config: string;
  readonly modules: string;
}

async function readKernelSources(): Promise<KernelSources> {
  const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const folder = `/lib/modules/${release()}`;
  const compressed = await readFile('/proc/config.gz').catch(() => undefined);
  const own = compressed === undefined ? '' : (await promisify(gunzip)(compressed)).toString('utf8');
  return {
    filesystems: await text('/proc/filesystems'),
    config: own || (await text(`/boot/config-${release()}`)),
    modules: (await text(`${folder}/modules.builtin`)) + (await text(`${folder}/modules.dep`)),
  };
}

/** How the kernel has a feature: `loaded`, `built in` or `as a module`; undefined when it has not. Pure. */
export function kernelHas(sources: KernelSources, feature: KernelFeature): string | undefined {
  const { option, module, filesystem } = feature;
  const filesystems = sources.filesystems.split('\n').map((line) => line.split('\t').at(-1));
  if (filesystem !== undefined && filesystems.includes(filesystem)) return 'loaded';
  const configured = new RegExp(`^${option}=([ym])$`, 'm').exec(sources.config)?.[1];
  if (configured !== undefined) return configured === 'y' ? 'built in' : 'as a module';
  // Module files may be compressed, and their names spell a hyphen either way.
  const name = module.replaceAll('_', '[-_]');
  return new RegExp(`/${name}\\.ko(\\.\\w+)?[:\\s]`).test(sources.modules) ? 'as a module' : undefined;
}

/** As {@link kernelHas}, for this machine. Throws `unsupported` when the kernel lacks it. */
export async function requireKernel(feature: KernelFeature): Promise<string> {
  const how = kernelHas(await readKernelSources(), feature);
  if (how !== undefined) return how;
  throw new RigError('unsupported', `this kernel (${release()}) has no ${feature.module}`);
}
