// The settings about who may talk to whom: where secrets and certificates are,
// and which of them go together. Only paths stand in the environment, never a
// secret itself; credentials.ts reads what they lead to.

import { z } from 'zod';

export interface SecuritySettings {
  /** Holds the bearer token that clients of the API must show; null: they need none. */
  readonly apiTokenFile: string | null;
  /** PEM files: this node's certificate with its key, and who signs its peers' and clients'. All of them or none. */
  readonly tlsCertFile: string | null;
  readonly tlsKeyFile: string | null;
  readonly tlsCaFile: string | null;
  /** Whether clients of the API must have a certificate of that authority. */
  readonly apiClientCerts: 'none' | 'required';
  readonly etcdUser: string | null;
  readonly etcdPasswordFile: string | null;
  /** PEM files: who signs etcd's certificate, and what this node shows etcd. */
  readonly etcdCaFile: string | null;
  readonly etcdCertFile: string | null;
  readonly etcdKeyFile: string | null;
}

// As a path of plain names, but for secrets of Kubernetes: `/run/secrets/..data/token` is one.
const fileSchema = z
  .string()
  .regex(/^(\/[A-Za-z0-9._-]+)+$/, 'must be an absolute path of plain names')
  .nullable()
  .default(null);

export const securityVariables = {
  COBALT_API_TOKEN_FILE: fileSchema,
  COBALT_TLS_CERT_FILE: fileSchema,
  COBALT_TLS_KEY_FILE: fileSchema,
  COBALT_TLS_CA_FILE: fileSchema,
  COBALT_API_CLIENT_CERTS: z.enum(['none', 'required']).default('none'),
  COBALT_ETCD_USER: z
    .string()
    .regex(/^[A-Za-z0-9._@-]{1,64}$/, 'must be 1-64 of A-Z, a-z, 0-9 and ._@-')
    .nullable()
    .default(null),
  COBALT_ETCD_PASSWORD_FILE: fileSchema,
  COBALT_ETCD_CA_FILE: fileSchema,
  COBALT_ETCD_CERT_FILE: fileSchema,
  COBALT_ETCD_KEY_FILE: fileSchema,
};

type Read = z.output<z.ZodObject<typeof securityVariables>>;

export function securityOf(read: Read): SecuritySettings {
  return {
    apiTokenFile: read.COBALT_API_TOKEN_FILE,
    tlsCertFile: read.COBALT_TLS_CERT_FILE,
    tlsKeyFile: read.COBALT_TLS_KEY_FILE,
    tlsCaFile: read.COBALT_TLS_CA_FILE,
    apiClientCerts: read.COBALT_API_CLIENT_CERTS,
    etcdUser: read.COBALT_ETCD_USER,
    etcdPasswordFile: read.COBALT_ETCD_PASSWORD_FILE,
    etcdCaFile: read.COBALT_ETCD_CA_FILE,
    etcdCertFile: read.COBALT_ETCD_CERT_FILE,
    etcdKeyFile: read.COBALT_ETCD_KEY_FILE,
  };
}

export interface Misfit {
  /** The variable to set or to take away. */
  readonly name: keyof Read | 'COBALT_ETCD_ENDPOINTS';
  readonly message: string;
}

const TOGETHER = [
  ['COBALT_TLS_CERT_FILE', 'COBALT_TLS_KEY_FILE', 'COBALT_TLS_CA_FILE'],
  ['COBALT_ETCD_USER', 'COBALT_ETCD_PASSWORD_FILE'],
  ['COBALT_ETCD_CERT_FILE', 'COBALT_ETCD_KEY_FILE'],
] as const;

/**
 * What one variable asks for and another doesn't grant. Half a protection is none. Goes by the variables as they
 * are given, so that it can be told along with what is wrong with each.
 */
export function misfitsOf(given: Readonly<Record<string, string | undefined>>): readonly Misfit[] {
  const misfits: Misfit[] = TOGETHER.flatMap((names) => {
    const found = names.find((name) => given[name] !== undefined);
    if (found === undefined) return [];
    const missing = names.filter((name) => given[name] === undefined);
    return missing.map((name) => ({ name, message: `is needed with ${found}` }));
  });
  const isNamed = misfits.some(({ name }) => name === 'COBALT_TLS_CA_FILE');
  if (given.COBALT_API_CLIENT_CERTS === 'required' && given.COBALT_TLS_CA_FILE === undefined && !isNamed) {
    misfits.push({ name: 'COBALT_TLS_CA_FILE', message: 'is needed with COBALT_API_CLIENT_CERTS=required' });
  }
  const etcdTls = (['COBALT_ETCD_CA_FILE', 'COBALT_ETCD_CERT_FILE'] as const).find(
    (name) => given[name] !== undefined,
  );
  const isPlain = /(^|,)\s*http:/.test(given.COBALT_ETCD_ENDPOINTS ?? '');
  if (etcdTls !== undefined && isPlain) {
    misfits.push({ name: 'COBALT_ETCD_ENDPOINTS', message: `must all begin with https:// with ${etcdTls}` });
  }
  return misfits;
}
