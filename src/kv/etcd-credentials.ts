// Who the client is to etcd, and how it knows etcd: a user of etcd's own
// (auth), certificates (TLS), both or neither.

import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { RigError } from '../base/errors.ts';

/** PEM texts. */
export interface EtcdTls {
  /** Signs etcd's certificates. Default: the authorities that Node.js trusts. */
  readonly ca?: string | undefined;
  /** The client's own, for an etcd with `--client-cert-auth`. Both or neither. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface EtcdCredentials {
  /** For an etcd with auth enabled; while it is not enabled they are not used. Both or neither. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Asked for the password as it is now, when etcd has refused the one before. Default: it never changes. */
  readonly readPassword?: (() => Promise<string | undefined>) | undefined;
  /** For endpoints that are `https://`. */
  readonly tls?: EtcdTls | undefined;
}

const HTTPS = /^https:\/\//;

export const isSecure = (endpoint: string): boolean => HTTPS.test(endpoint);

/** Throws `invalid` for what can be seen to be wrong without asking etcd. Never names a secret. */
export function checkCredentials(endpoints: readonly string[], credentials: EtcdCredentials): void {
  const { user, password, tls } = credentials;
  const refuse = (what: string, cause?: unknown): never => {
    throw new RigError('invalid', what, { cause });
  };
  if ((user === undefined) !== (password === undefined))
    refuse('of etcd user and password only one is given');
  const secure = endpoints.filter(isSecure).length;
  if (secure !== 0 && secure !== endpoints.length) {
    refuse('some etcd endpoints are https, others are not: passwords and data would go unprotected');
  }
  if (tls === undefined || [tls.ca, tls.cert, tls.key].every((given) => given === undefined)) return;
  if (secure === 0) refuse('certificates for etcd are given, but its endpoints are not https://');
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    refuse('of the client certificate for etcd and its key only one is given');
  }
  try {
    // A secure context takes an authority that it can't read for none.
    if (tls.ca !== undefined) new X509Certificate(tls.ca);
    createSecureContext({ ca: tls.ca, cert: tls.cert, key: tls.key });
  } catch (cause) {
    // OpenSSL's reasons name neither contents nor files.
    refuse(`the certificates for etcd cannot be used: ${(cause as Error).message}`, cause);
  }
}
