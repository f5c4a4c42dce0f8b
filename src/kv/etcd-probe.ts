// Why an endpoint cannot be connected to. gRPC says only that it cannot; whether
// the other side is away or refuses us makes all the difference to a daemon.

import { createConnection, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { RigError } from '../base/errors.ts';
import { type EtcdTls, isSecure } from './etcd-credentials.ts';

/** The client's half of the beginning of HTTP/2 (RFC 9113, 3.4): the preface and empty settings. */
const HTTP2_BEGINNING = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/** OpenSSL's alerts, and its reasons not to trust a certificate (X509_verify_cert_error_string(3)). */
const REFUSED = /^ERR_SSL_|^ERR_TLS_CERT|CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|HOSTNAME_MISMATCH/;

/** What came of one attempt. `silence`: nothing, or an end without a word; `lost`: the network's fault. */
type Outcome = 'answer' | 'silence' | 'lost' | { readonly refusedWith: NodeJS.ErrnoException };

/**
 * Connects once, as gRPC would. `unsupported` when the endpoint and we do not
 * accept each other, which waiting will not mend; otherwise undefined, after
 * `timeoutMs` at most.
 */
export async function refusalOf(options: {
  readonly endpoint: string;
  readonly tls: EtcdTls | undefined;
  readonly timeoutMs: number;
}): Promise<RigError | undefined> {
  const { endpoint, timeoutMs } = options;
  const endMs = performance.now() + timeoutMs;
  const refused = (why: string, next: string, cause?: unknown): RigError =>
    new RigError('unsupported', `etcd at ${endpoint} cannot be used: ${why}`, { next, cause });
  const url = new URL(/^https?:\/\//.test(endpoint) ? endpoint : `http://${endpoint}`);
  const address = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2379) };
  const { ca, cert, key } = options.tls ?? {};
  if (isSecure(endpoint)) {
    const outcome = await greet(connectTls({ ...address, ca, cert, key }), 'secureConnect', endMs);
    if (typeof outcome === 'object') {
      const error = outcome.refusedWith;
      return refused(
        `TLS failed with ${error.code}`,
        'Check certificates: authority, names and dates.',
        error,
      );
    }
    // etcd hangs up without a word on who speaks TLS to it although it does not.
    if (outcome !== 'silence') return undefined;
    const inPlain = await greet(createConnection(address), 'connect', endMs);
    return inPlain === 'answer'
      ? refused("it doesn't speak TLS", 'Set up TLS there, or give http://.')
      : undefined;
  }
  if ((await greet(createConnection(address), 'connect', endMs)) !== 'silence') return undefined;
  // The same the other way round. No data is sent this way, so nobody need be trusted.
  const handshake = await greet(connectTls({ ...address, rejectUnauthorized: false }), undefined, endMs);
  const speaksTls = handshake === 'answer' || typeof handshake === 'object';
  return speaksTls ? refused('it speaks TLS', 'Give its endpoints as https://.') : undefined;
}

function connectTls(options: ConnectionOptions & { readonly host: string }): Socket {
  const servername = isIP(options.host) === 0 ? { servername: options.host } : {};
  return connect({ ...options, ...servername, ALPNProtocols: ['h2'] });
}

/** Says hello once `ready` has come, and waits for an answer; without `ready`, a TLS handshake is one. */
function greet(
  socket: Socket,
  ready: 'connect' | 'secureConnect' | undefined,
  endMs: number,
): Promise<Outcome> {
  return new Promise<Outcome>((resolve) => {
    let connected = false;
    const timer = setTimeout(() => resolve('lost'), Math.max(0, endMs - performance.now()));
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    if (ready === undefined) socket.once('secureConnect', () => settle('answer'));
    // A certificate of ours that is refused shows only in what comes back after the handshake (TLS 1.3).
    else socket.once(ready, () => socket.write(HTTP2_BEGINNING));
    socket.once('connect', () => {
      connected = true;
    });
    socket.once('data', () => settle('answer'));
    socket.once('close', () => settle(connected ? 'silence' : 'lost'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (REFUSED.test(error.code ?? '')) settle({ refusedWith: error });
    });
  }).finally(() => socket.destroy());
}
