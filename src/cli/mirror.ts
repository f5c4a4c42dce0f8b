// `rig mirror`: a live cluster's nodes and volumes as a simulated cluster, to look into it in safety.

import type { Command } from 'commander';
import { createSystemClock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createSystemRandom } from '../base/random.ts';
import { readEtcdAccess } from '../cluster/etcd-access.ts';
import { openKv } from '../cluster/open-kv.ts';
import { etcdPath } from '../cluster/processes.ts';
import { mirrored, writeMirror } from '../fleet/mirror.ts';
import { kindOf, readApi, readEtcd, type Source } from '../fleet/mirror-source.ts';
import { DEFAULT_PROFILE } from '../fleet/profiles.ts';
import { isSecure } from '../kv/etcd-credentials.ts';
import { createHttpNetwork } from '../network/http.ts';
import { clusterOf, DEFAULTS, parseEndpoints } from './fleet-options.ts';
import { help, printJson, printLine } from './output.ts';

interface Flags {
  readonly from: string;
  readonly state: string;
  readonly profile: string;
  readonly json?: boolean;
}

export function registerMirror(program: Command): void {
  program
    .command('mirror')
    .requiredOption('--from <url>', 'its etcd (https:// too), or an API of it', parseSource)
    .option('--state <folder>', 'where the copy is kept', 'runs/mirror')
    .option(
      '--profile <name>',
      'latency and failures of its nodes, built in or a file in YAML',
      DEFAULT_PROFILE,
    )
    .option('--json', 'print what was copied as JSON')
    .addHelpText(
      'after',
      help(
        ['rig mirror --from http://127.0.0.1:2379 && rig sim run --state runs/mirror'],
        '{"state", "nodes": names, "away": names, "volumes": how many, "malformed": keys}',
      ),
    )
    .action(mirror);
}

const parseSource = (text: string): string => parseEndpoints(text)[0] ?? '';

async function mirror({ from, state, profile, json }: Flags): Promise<void> {
  const clock = createSystemClock();
  const source = await read(from);
  if (source.nodes.length === 0) {
    throw new RigError('not_found', `${from} knows no node of Cobalt's`, {
      next: 'Give the etcd, or an API, of a cluster that has nodes.',
    });
  }
  const like = await clusterOf({
    ...{ nodes: 1, prefix: DEFAULTS.prefix, profile, heartbeat: DEFAULTS.heartbeatSeconds },
    ...{ sharedDevices: 0, seenBy: DEFAULTS.seenBy },
  });
  const cluster = mirrored(source, like);
  const etcdBinary = await etcdPath();
  await writeMirror({ folder: state, clock, random: createSystemRandom(), source, cluster, etcdBinary });
  const { nodes, volumes, malformed } = source;
  if (json === true) {
    const away = nodes.filter(({ alive }) => !alive).map(({ name }) => name);
    printJson({ state, nodes: nodes.map(({ name }) => name), away, volumes: volumes.length, malformed });
    return;
  }
  const away = nodes.filter(({ alive }) => !alive).length;
  printLine(`${nodes.length} nodes, ${away} of them away, and ${volumes.length} volumes in ${state}`);
  if (malformed.length > 0) printLine(`left out, since it can't be read: ${malformed.join(', ')}`);
  printLine(`run it with: rig sim run --state ${state}`);
}

/** What is behind TLS is taken for etcd: an API there asks for what only its clients have. */
async function read(from: string): Promise<Source> {
  const network = createHttpNetwork({ clock: createSystemClock() });
  if (!isSecure(from) && (await kindOf(from, network)) === 'api') return readApi(from, network);
  const { credentials } = await readEtcdAccess([from]);
  const kv = openKv([from], credentials);
  try {
    return await readEtcd(kv);
  } finally {
    await kv.close();
  }
}
