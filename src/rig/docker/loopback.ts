// Every port that the rig publishes is bound to 127.0.0.1 of the engine's machine.
// Is that the 127.0.0.1 of this process? In a container, as a rule, it is not.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';

export interface LoopbackSources {
  /** Whether the engine's default bridge is in this process' network; undefined where the engine has none. */
  readonly seesBridge: boolean | undefined;
  /** This process runs in a container. */
  readonly inContainer: boolean;
}

/** What is known of the loopback; false when ports of the engine can't be reached. Pure. */
export function sharesLoopback({ seesBridge, inContainer }: LoopbackSources): string | false {
  if (seesBridge) return 'shared';
  // A desktop's or a rootless engine has a network of its own, and forwards its ports to this machine.
  if (seesBridge === undefined || !inContainer) return 'not looked into: the engine has a network of its own';
  return false;
}

/** Resolves to what was found. Throws `machine` in a container that has not the engine's network. */
export async function requireLoopback(docker: Docker): Promise<string> {
  const bridge = await bridgeName(docker);
  const found = sharesLoopback({
    // Not os.networkInterfaces(): a bridge without a container is no running interface.
    seesBridge: bridge === undefined ? undefined : existsSync(join('/sys/class/net', bridge)),
    inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
  });
  if (found !== false) return found;
  throw new RigError('machine', "this container has another network than the engine's machine");
}

async function bridgeName(docker: Docker): Promise<string | undefined> {
  try {
    const { Options } = await docker.getNetwork('bridge').inspect();
    return Options?.['com.docker.network.bridge.name'];
  } catch {
    return undefined; // An engine may be told to have no bridge.
  }
}
