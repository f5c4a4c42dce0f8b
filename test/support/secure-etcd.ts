// An etcd as an operator protects it: TLS that asks for client certificates, and
// users of whom Cobalt's may use Cobalt's keys and no others.

import { ROOT } from '../../src/kv/keys.ts';
import type { TestCertificates } from './certificates.ts';
import type { EtcdContainerOptions, TestEtcd } from './etcd.ts';

export interface EtcdUser {
  readonly user: string;
  readonly password: string;
}

/** What `startEtcd` needs for it; in its container, etcdctl shows the client's certificate. */
export function withTls({ ca, server, client }: TestCertificates): EtcdContainerOptions {
  return {
    files: {
      '/tls/ca.pem': ca,
      '/tls/server.pem': server.cert,
      '/tls/server.key': server.key,
      '/tls/client.pem': client.cert,
      '/tls/client.key': client.key,
    },
    environment: {
      ETCD_CERT_FILE: '/tls/server.pem',
      ETCD_KEY_FILE: '/tls/server.key',
      ETCD_TRUSTED_CA_FILE: '/tls/ca.pem',
      ETCD_CLIENT_CERT_AUTH: 'true',
      ETCDCTL_ENDPOINTS: 'https://127.0.0.1:2379',
      ETCDCTL_CACERT: '/tls/ca.pem',
      ETCDCTL_CERT: '/tls/client.pem',
      ETCDCTL_KEY: '/tls/client.key',
    },
    credentials: { tls: { ca, ...client } },
  };
}

/** The role is that which .env.template gives an operator to copy. From now on `root:root` may do everything. */
export async function enableAuth(etcd: TestEtcd, { user, password }: EtcdUser): Promise<void> {
  const setup = [
    ['user', 'add', 'root:root'],
    ['user', 'grant-role', 'root', 'root'],
    ['role', 'add', 'cobalt'],
    ['role', 'grant-permission', 'cobalt', '--prefix=true', 'readwrite', ROOT],
    ['user', 'add', `${user}:${password}`],
    ['user', 'grant-role', user, 'cobalt'],
    ['auth', 'enable'],
  ];
  for (const command of setup) await etcd.exec(['etcdctl', ...command]);
}

/** Every token of the user is void from then on. */
export async function changePassword(etcd: TestEtcd, { user, password }: EtcdUser): Promise<void> {
  // It takes the password from its input.
  const command = 'echo "$0" | etcdctl --user root:root user passwd "$1" --interactive=false';
  await etcd.exec(['sh', '-c', command, password, user]);
}
