// The token by which etcd knows a user, of one endpoint. Each endpoint has its
// own: a member that lags may not know one that another has given out, and each
// lets an unused one expire (etcd's `--auth-token-ttl`) by its own clock.

import type { AuthClient } from 'etcd3';
import type { EtcdCredentials } from './etcd-credentials.ts';
import { fromGrpc, isAuthDisabled } from './etcd-errors.ts';

export interface Token {
  /** Gets one unless there is one. `unsupported` when etcd refuses user or password. */
  ensure(callOptions: { readonly deadline: number }): Promise<void>;
  /** The metadata of a call, with the token if there is one. */
  sign<M extends { clone(): M; set(key: string, value: string): void }>(metadata: M): M;
  /** False if there is nothing to get another one with. */
  forget(): boolean;
}

export function createToken(
  options: EtcdCredentials & { readonly address: string; readonly auth: AuthClient },
): Token {
  const { address, auth, user, password } = options;
  if (user === undefined || password === undefined) {
    return { ensure: async () => {}, sign: (metadata) => metadata, forget: () => false };
  }
  let current = password;
  let token: string | undefined;
  let asking: Promise<void> | undefined;

  /** True if there is another password than the one that was refused. */
  const renew = async (): Promise<boolean> => {
    // A file that can't be read now is looked at again the next time.
    const renewed = await options.readPassword?.().catch(() => undefined);
    if (renewed === undefined || renewed === current) return false;
    current = renewed;
    return true;
  };
  const ask = async (callOptions: { readonly deadline: number }): Promise<void> => {
    try {
      token = (await auth.authenticate({ name: user, password: current }, callOptions)).token;
    } catch (error) {
      // Clients can be given their credentials before auth is enabled.
      if (isAuthDisabled(error)) {
        token = '';
        return;
      }
      const failure = fromGrpc(error, { what: `authenticating as ${user} at ${address}`, write: false });
      if (failure.code !== 'unsupported' || !(await renew())) throw failure;
      await ask(callOptions);
    }
  };

  return {
    ensure: async (callOptions) => {
      if (token !== undefined) return;
      asking ??= ask(callOptions).finally(() => {
        asking = undefined;
      });
      await asking;
    },
    sign: (metadata) => {
      if (token === undefined || token === '') return metadata;
      const signed = metadata.clone();
      signed.set('token', token);
      return signed;
    },
    forget: () => {
      token = undefined;
      return true;
    },
  };
}
