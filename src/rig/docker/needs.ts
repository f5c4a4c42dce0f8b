// Everything that the rig needs or can use of a machine: what it is, how to see
// whether it is there, what its absence switches off, and how to get it.

import { constants } from 'node:fs';
import { access, readFile, statfs } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { RigError } from '../../base/errors.ts';
import { BYTES_PER_GIB } from '../../base/units.ts';
import { browserVersion } from './browser.ts';
import { connectEngine, type EngineOptions } from './engine.ts';
import { staleImages } from './images.ts';
import { composeVersion } from './install-compose.ts';
import { type KernelFeature, requireKernel } from './kernel.ts';
import { requireLoopback } from './loopback.ts';
import { askRegistry } from './registry.ts';
import { engineArchitecture } from './runtime.ts';

export interface Machine {
  readonly engine: EngineOptions;
  /** The repository's folder. */
  readonly root: string;
}

export interface Need {
  readonly id: string;
  readonly title: string;
  /** Without it there is no system test in containers. */
  readonly required: boolean;
  /** What its absence means. */
  readonly withoutIt: string;
  /** How to get it. */
  readonly next: string;
  /** Resolves to what was found; throws with the reason when it isn't there. */
  readonly probe: (machine: Machine) => Promise<string>;
}

/** What was found of one need. */
export interface Finding extends Omit<Need, 'probe'> {
  readonly found: boolean;
  readonly detail: string;
}

const SMALLEST_FREE_BYTES = 3 * BYTES_PER_GIB;
const NFS_CLIENT: KernelFeature = { option: 'CONFIG_NFS_V4', module: 'nfsv4', filesystem: 'nfs4' };
const NO_CONTAINERS = 'no mode with containers';

/** A kernel feature where containers run. Elsewhere than on this kernel it shows when a node starts. */
async function inEngineKernel({ engine }: Machine, feature: KernelFeature): Promise<string> {
  const info: { KernelVersion: string } = await (await connectEngine(engine)).info();
  if (info.KernelVersion === release()) return requireKernel(feature);
  return `not looked into: the engine runs on another kernel, ${info.KernelVersion}`;
}

/** Resolves to what is free at `folder`, if this process sees the engine's filesystem at all: in a container it may not. */
export async function requireSpace(folder: string): Promise<string> {
  const stats = await statfs(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (!stats) return `not looked into: ${folder} is on another filesystem, the engine's`;
  const freeBytes = stats.bavail * stats.bsize;
  const free = `${(freeBytes / BYTES_PER_GIB).toFixed(1)} GiB free in ${folder}`;
  if (freeBytes >= SMALLEST_FREE_BYTES) return free;
  throw new RigError('machine', free);
}

export const NEEDS: readonly Need[] = [
  {
    id: 'node',
    title: 'Node.js runtime',
    required: true,
    withoutIt: 'the rig does not run as tested',
    next: 'run `npm ci`, and start the rig with `npm run rig`, which puts the pinned runtime first',
    probe: async ({ root }) => {
      const manifest = await readFile(join(root, 'node_modules/node/package.json'), 'utf8');
      const pinned = (JSON.parse(manifest) as { version: string }).version;
      if (process.versions.node === pinned) return pinned;
      throw new RigError('machine', `this is ${process.versions.node}, pinned is ${pinned}`);
    },
  },
  {
    id: 'engine',
    title: 'Docker Engine',
    required: true,
    withoutIt: NO_CONTAINERS,
    next: 'start it or set DOCKER_HOST; `rig doctor --fix` as root on Debian or Ubuntu installs it',
    probe: async ({ engine }) => {
      const version = await (await connectEngine(engine)).version();
      return `${version.Version}, API ${version.ApiVersion}, ${version.Os}/${version.Arch}`;
    },
  },
  {
    id: 'loopback',
    title: "the engine's loopback",
    required: true,
    withoutIt: 'no port of a cluster can be reached from here',
    next: "give this container the network of the engine's machine: `docker run --network host`, or `network_mode: host`",
    probe: async ({ engine }) => requireLoopback(await connectEngine(engine)),
  },
  {
    id: 'compose',
    title: 'Compose plugin, version 2',
    required: true,
    withoutIt: NO_CONTAINERS,
    next: 'install docker-compose-v2 (Ubuntu) or docker-compose (Debian 13); `rig doctor --fix` does',
    probe: composeVersion,
  },
  {
    id: 'images',
    title: 'images of the rig',
    required: false,
    withoutIt: 'the first run builds them',
    next: 'run `rig images`, or `rig doctor --fix`',
    probe: async ({ engine, root }) => {
      const stale = await staleImages(await connectEngine(engine), { root });
      if (stale.length === 0) return 'up to date';
      throw new RigError('not_found', `not built from these sources: ${stale.join(', ')}`);
    },
  },
  {
    id: 'btrfs',
    title: 'BTRFS in the kernel',
    required: true,
    withoutIt: 'a storage node has no disk',
    next: 'load the module: `modprobe btrfs`, or use a kernel that has it',
    probe: (machine) =>
      inEngineKernel(machine, { option: 'CONFIG_BTRFS_FS', module: 'btrfs', filesystem: 'btrfs' }),
  },
  {
    id: 'loop',
    title: 'loop devices',
    required: true,
    withoutIt: 'a storage node has no disk',
    next: 'load the module: `modprobe loop`, or use a kernel that has it',
    probe: (machine) => inEngineKernel(machine, { option: 'CONFIG_BLK_DEV_LOOP', module: 'loop' }),
  },
  {
    id: 'disk',
    title: 'free disk space for Docker',
    required: true,
    withoutIt: 'builds and disks of nodes fail half-way',
    next: `free ${SMALLEST_FREE_BYTES / BYTES_PER_GIB} GiB where Docker keeps its data; \`docker system df\` tells what is there`,
    probe: async ({ engine }) => {
      const info: { DockerRootDir: string; KernelVersion: string } = await (
        await connectEngine(engine)
      ).info();
      if (info.KernelVersion !== release()) return 'not looked into: the engine is on another machine';
      return requireSpace(info.DockerRootDir);
    },
  },
  {
    id: 'registry',
    title: 'a registry with Debian',
    required: false,
    withoutIt: "the base image is made from the mirror of this machine's apt",
    next: 'give Docker access to a registry or a proxy of one',
    probe: ({ engine }) => askRegistry(engine),
  },
  {
    id: 'netem',
    title: 'netem in the kernel',
    required: false,
    withoutIt: 'delays in the network go through a TUN device, and a program of the rig',
    next: 'use a kernel with sch_netem',
    probe: (machine) => inEngineKernel(machine, { option: 'CONFIG_NET_SCH_NETEM', module: 'sch_netem' }),
  },
  {
    id: 'tun',
    title: 'TUN devices in the kernel',
    required: false,
    withoutIt: 'no delays in the network where netem is missing, too',
    next: 'load the module: `modprobe tun`',
    probe: (machine) => inEngineKernel(machine, { option: 'CONFIG_TUN', module: 'tun' }),
  },
  {
    id: 'htb',
    title: 'HTB in the kernel',
    required: false,
    withoutIt: 'no links of limited bandwidth, and no netem',
    next: 'load the modules: `modprobe sch_htb cls_u32`',
    probe: (machine) => inEngineKernel(machine, { option: 'CONFIG_NET_SCH_HTB', module: 'sch_htb' }),
  },
  {
    id: 'nfs-client',
    title: 'NFS client in the kernel',
    required: false,
    withoutIt: 'consumers mount in a small virtual machine, which takes a second or two to start',
    next: 'load the module: `modprobe nfsv4`, or use a kernel that has it',
    probe: (machine) => inEngineKernel(machine, NFS_CLIENT),
  },
  {
    id: 'mounts',
    title: 'kernel mounts in consumers',
    required: false,
    withoutIt:
      'no `rig mount`, and scenarios do not ask what an open file sees of a move or of lost permission',
    next: 'use an engine on amd64, or one whose kernel has nfsv4',
    probe: async (machine) => {
      if ((await engineArchitecture(await connectEngine(machine.engine))) === 'x64')
        return "by the host's kernel, or in a virtual machine";
      return `by the host's kernel: ${await inEngineKernel(machine, NFS_CLIENT)}`;
    },
  },
  {
    id: 'fuse',
    title: 'FUSE',
    required: false,
    withoutIt: 'no disk that fails on command',
    next: 'load the module: `modprobe fuse`',
    probe: (machine) =>
      inEngineKernel(machine, { option: 'CONFIG_FUSE_FS', module: 'fuse', filesystem: 'fuse' }),
  },
  {
    id: 'browser',
    title: 'Chromium',
    required: false,
    withoutIt: "the tests of a run's report fail",
    next: 'install chromium-headless-shell or chromium',
    probe: browserVersion,
  },
  {
    id: 'kvm',
    title: 'KVM',
    required: false,
    withoutIt: 'the virtual machines in which consumers mount run in software, slowly',
    next: 'enable virtualisation, and give this user access to /dev/kvm',
    probe: async () => {
      await access('/dev/kvm', constants.R_OK | constants.W_OK);
      return '/dev/kvm; whether it works, a consumer finds out when it mounts';
    },
  },
];

/** Looks for everything at once; never throws for what isn't there. */
export function examine(machine: Machine, needs: readonly Need[] = NEEDS): Promise<readonly Finding[]> {
  return Promise.all(
    needs.map(async ({ probe, ...need }) => {
      try {
        return { ...need, found: true, detail: await probe(machine) };
      } catch (error) {
        return { ...need, found: false, detail: RigError.from(error).message };
      }
    }),
  );
}
