// Daemons as processes with every protection switched on, around a protected
// etcd, and calls of them as a client with a certificate makes them.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates, type TestCertificates } from './certificates.ts';
import { createConformance } from './conforming.ts';
import { startDaemon, type TestDaemon } from './daemon.ts';
import { freePort, startEtcd, type TestEtcd } from './etcd.ts';
import { type EtcdUser, enableAuth, withTls } from './secure-etcd.ts';

export const TOKEN = 'correct-horse-battery-staple';

export interface SecureCall {
  /** Default: GET. */
  readonly method?: string;
  readonly body?: object;
  /** Default: with the token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the client's certificate, and trust in our authority. */
  readonly tls?: RequestOptions;
}

export interface SecureAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at what it expects.
  readonly json: any;
}

export interface SecureNode {
  readonly name: string;
  readonly daemon: TestDaemon;
  readonly agentUrl: string;
  /** Waits for it. */
  readonly apiUrl: () => Promise<string>;
  /** Of its API. Every answer is held against the API's description. Rejects with the connection's error. */
  call(path: string, options?: SecureCall): Promise<SecureAnswer>;
}

export interface SecureDaemons extends AsyncDisposable {
  readonly certificates: TestCertificates;
  readonly etcd: TestEtcd;
  /** A node to which everything is given as it should be, unless the environment says otherwise. */
  start(name: string, environment?: Readonly<Record<string, string>>): Promise<SecureNode>;
  /** Writes a file that its owner alone can read; answers with its path. */
  write(base: string, text: string): Promise<string>;
  /** The status that any of their servers answers with. Rejects with the connection's error. */
  ask(url: string, options?: SecureCall): Promise<number>;
  /** All that any of the processes ever said. */
  said(): string;
}

const complaintOf = createConformance({ token: true, certificate: true });

export async function openSecureDaemons(user: EtcdUser): Promise<SecureDaemons> {
  const certificates = await makeCertificates();
  const folder = await mkdtemp(join(tmpdir(), 'cobalt-secure-'));
  const etcd = await startEtcd(withTls(certificates));
  await enableAuth(etcd, user);
  const write = async (base: string, text: string): Promise<string> => {
    await writeFile(join(folder, base), text, { mode: 0o600 });
    return join(folder, base);
  };
  const { ca, server, client } = certificates;
  const [token, cert, key, authorities, password] = await Promise.all([
    write('token', `${TOKEN}\n`),
    write('node.pem', server.cert),
    write('node.key', server.key),
    write('ca.pem', ca),
    write('etcd-password', `${user.password}\n`),
  ]);
  const daemons: TestDaemon[] = [];
  const send = (url: string, options: SecureCall): Promise<Response> =>
    sendTo(url, { tls: { ca, ...client }, headers: { authorization: `Bearer ${TOKEN}` }, ...options });

  const start: SecureDaemons['start'] = async (name, environment = {}) => {
    const agentPort = await freePort();
    const daemon = startDaemon({
      COBALT_NODE_NAME: name,
      COBALT_VOLUME_PATH: `/srv/${name}`,
      COBALT_ADDRESS: '127.0.0.1',
      COBALT_AGENT_PORT: String(agentPort),
      COBALT_CAPACITY_GIB: '8',
      COBALT_RECONCILE_INTERVAL_MS: '200',
      COBALT_LOG_LEVEL: 'debug',
      COBALT_API_TOKEN_FILE: token,
      COBALT_TLS_CERT_FILE: cert,
      COBALT_TLS_KEY_FILE: key,
      COBALT_TLS_CA_FILE: authorities,
      COBALT_API_CLIENT_CERTS: 'required',
      COBALT_ETCD_ENDPOINTS: etcd.endpoints.join(','),
      COBALT_ETCD_USER: user.user,
      COBALT_ETCD_PASSWORD_FILE: password,
      COBALT_ETCD_CA_FILE: authorities,
      COBALT_ETCD_CERT_FILE: cert,
      COBALT_ETCD_KEY_FILE: key,
      ...environment,
    });
    daemons.push(daemon);
    const apiUrl = async (): Promise<string> => String((await daemon.logged('api.listening')).address);
    return {
      ...{ name, daemon, apiUrl, agentUrl: `https://127.0.0.1:${agentPort}` },
      call: async (path, options = {}) => {
        const answer = await send(`${await apiUrl()}${path}`, options);
        const { status, headers } = answer;
        const text = await answer.text();
        const complaint = complaintOf({ method: options.method ?? 'GET', path, status, headers, text });
        if (complaint !== undefined) throw new Error(complaint);
        return { status, json: JSON.parse(text) };
      },
    };
  };
  return {
    ...{ certificates, etcd, start, write },
    ask: async (url, options = {}) => (await send(url, options)).status,
    said: () => daemons.map(({ log, complaint }) => `${JSON.stringify(log)}${complaint()}`).join('\n'),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(daemons.map((daemon) => daemon[Symbol.asyncDispose]()));
      await etcd[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

/** By hand: fetch shows no certificate of a client's. */
function sendTo(url: string, { method, body, headers, tls }: SecureCall): Promise<Response> {
  return new Promise((resolve, reject) => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const options = { ...tls, method, agent: false, headers: { ...type, ...headers } };
    const sent = request(url, options, async (answer) => {
      try {
        const text = Buffer.concat(await answer.toArray()).toString();
        const seen = new Headers(answer.headers as Record<string, string>);
        resolve(new Response(text, { status: answer.statusCode ?? 0, headers: seen }));
      } catch (error) {
        reject(error);
      }
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
