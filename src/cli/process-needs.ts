// What a cluster of processes needs of this machine.

import { RigError } from '../base/errors.ts';
import { readProgramSettings } from '../cluster/settings.ts';
import { findEtcd, findFakeTime } from '../process/programs.ts';
import type { Need } from '../rig/docker/needs.ts';

/** The need of each, and the package that it comes in. */
export const PROCESS_PACKAGES: Readonly<Record<string, string>> = {
  etcd: 'etcd-server',
  libfaketime: 'libfaketime',
};

const NEXT = 'install the package';

export const PROCESS_NEEDS: readonly Need[] = [
  {
    id: 'etcd',
    title: "etcd's own program",
    required: false,
    withoutIt: 'no mode with processes, and no fleet with an etcd of its own',
    next: `${NEXT} etcd-server, or set COBALT_RIG_ETCD; \`rig doctor --fix --tests\` fetches it on Debian or Ubuntu`,
    probe: async ({ root }) => {
      const { etcdBinary, searchPath } = readProgramSettings();
      const { version, path } = await findEtcd({ named: etcdBinary, searchPath, root });
      return `${version}, ${path}`;
    },
  },
  {
    id: 'libfaketime',
    title: 'libfaketime',
    required: false,
    withoutIt: 'no wrong clocks in the mode with processes',
    next: `${NEXT} libfaketime; \`rig doctor --fix --tests\` fetches it on Debian or Ubuntu`,
    probe: async ({ root }) => {
      const found = findFakeTime(root);
      if (found === undefined) throw new RigError('not_found', 'not installed');
      return found;
    },
  },
];
