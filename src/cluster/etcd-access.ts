// How the rig shows itself to an etcd that somebody else runs: by the settings that a daemon has for it.

import { readCredentials } from '../daemon/credentials.ts';
import { readSettings } from '../daemon/settings.ts';
import type { EtcdCredentials } from '../kv/etcd-credentials.ts';
import { readEtcdVariables } from './settings.ts';

export interface EtcdAccess {
  readonly credentials: EtcdCredentials;
  /** What a daemon before the same etcd has to be given. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Throws `invalid`, as a daemon does, for variables and files that are not what they must be. */
export async function readEtcdAccess(
  endpoints: readonly string[],
  variables = readEtcdVariables(),
): Promise<EtcdAccess> {
  const named = { COBALT_NODE_NAME: 'rig', COBALT_ETCD_ENDPOINTS: endpoints.join(',') };
  const settings = readSettings({ ...variables, ...named });
  const read = async () => (await readCredentials(settings)).etcd;
  const { user, password, ca, cert, key } = await read();
  const readPassword = async () => (await read()).password;
  return { variables, credentials: { user, password, readPassword, tls: { ca, cert, key } } };
}
