// The connection to a Docker Engine: which one is meant (option, environment,
// CLI context, the default socket), and whether it answers.

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { RigError } from '../../base/errors.ts';

/** Where to look for the engine. The CLI fills it from the environment (src/cluster/settings.ts). */
export interface EngineOptions {
  /** As DOCKER_HOST: `unix://…`, `npipe://…`, `tcp://host:port` or `ssh://user@host`. */
  readonly host?: string | undefined;
  /** As DOCKER_CONTEXT: a context of the Docker CLI; `host` wins. */
  readonly context?: string | undefined;
  /** As DOCKER_CERT_PATH: a folder with ca.pem, cert.pem and key.pem; makes tcp:// speak TLS. */
  readonly certPath?: string | undefined;
  /** As SSH_AUTH_SOCK, for ssh://. */
  readonly sshAgent?: string | undefined;
  /** As DOCKER_CONFIG; default `~/.docker`. */
  readonly configPath?: string | undefined;
}

const DEFAULT_HOST =
  process.platform === 'win32' ? 'npipe:////./pipe/docker_engine' : 'unix:///var/run/docker.sock';

/**
 * The address that the Docker CLI would use: `host`, else the context that is
 * named or current, else the default socket (Docker Desktop's own when only
 * that one exists).
 */
export function engineHost(options: EngineOptions = {}): string {
  if (options.host) return options.host.includes('://') ? options.host : `tcp://${options.host}`;
  const configPath = options.configPath || join(homedir(), '.docker');
  const context = options.context || currentContext(configPath);
  if (context !== undefined && context !== 'default') return contextHost(configPath, context);
  const desktopSocket = join(homedir(), '.docker', 'run', 'docker.sock');
  if (!existsSync('/var/run/docker.sock') && existsSync(desktopSocket)) return `unix://${desktopSocket}`;
  return DEFAULT_HOST;
}

/** A client of the engine; nothing is sent yet. Throws `invalid` for an address that can't be read. */
export function createEngine(options: EngineOptions = {}): Docker {
  const address = engineHost(options);
  const [scheme = '', rest = ''] = address.split('://');
  if ((scheme === 'unix' || scheme === 'npipe') && rest !== '') return new Docker({ socketPath: rest });
  if (!URL.canParse(address) || !['tcp', 'http', 'https', 'ssh'].includes(scheme)) {
    throw new RigError('invalid', `the Docker host \`${address}\` is not an address`, {
      next: 'set DOCKER_HOST to unix://PATH, tcp://HOST:PORT or ssh://USER@HOST',
    });
  }
  const url = new URL(address);
  if (scheme === 'ssh') {
    return new Docker({
      protocol: 'ssh',
      host: url.hostname,
      port: url.port || 22,
      username: url.username,
      sshOptions: { ...(options.sshAgent === undefined ? {} : { agent: options.sshAgent }) },
    });
  }
  const { certPath } = options;
  const secure = scheme === 'https' || certPath !== undefined;
  return new Docker({
    protocol: secure ? 'https' : 'http',
    host: url.hostname,
    port: url.port || (secure ? 2376 : 2375),
    ...(certPath === undefined ? {} : readCertificates(certPath)),
  });
}

/** A client of an engine that answers. Throws `machine` with one clear line when none does. */
export async function connectEngine(options: EngineOptions = {}): Promise<Docker> {
  const docker = createEngine(options);
  try {
    await withDeadline(docker.ping(), 5_000);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new RigError('machine', `no Docker Engine answers at ${engineHost(options)} (${why})`, {
      next: 'start Docker or set DOCKER_HOST; on Debian or Ubuntu, `scripts/setup` as root installs it',
      cause: error,
    });
  }
  return docker;
}

/**
 * Where the engine's own socket is, seen from the engine's machine. A socket on
 * Linux is the engine's, rootless or not; anything else (TCP, SSH, a desktop's
 * virtual machine) leads to a machine where it is at the usual place.
 */
export function socketInEngine(host: string): string {
  const path = host.startsWith('unix://') ? host.slice('unix://'.length) : '';
  const isOwn = process.platform === 'linux' && path !== '' && !path.includes('/.docker/');
  return isOwn ? path : '/var/run/docker.sock';
}

function currentContext(configPath: string): string | undefined {
  try {
    const config: { currentContext?: string } = JSON.parse(
      readFileSync(join(configPath, 'config.json'), 'utf8'),
    );
    return config.currentContext;
  } catch {
    return undefined; // No file, or not ours to judge: the CLI has no context then either.
  }
}

/** The CLI keeps a context's address in a folder named by the SHA-256 of its name. */
function contextHost(configPath: string, context: string): string {
  const folder = createHash('sha256').update(context).digest('hex');
  const file = join(configPath, 'contexts', 'meta', folder, 'meta.json');
  try {
    const meta: { Endpoints?: { docker?: { Host?: string } } } = JSON.parse(readFileSync(file, 'utf8'));
    const host = meta.Endpoints?.docker?.Host;
    if (host) return host;
  } catch {
    // Falls through to the error below.
  }
  throw new RigError('machine', `the Docker context \`${context}\` has no address in ${file}`, {
    next: 'choose another with `docker context use`, or set DOCKER_HOST',
  });
}

function readCertificates(certPath: string): { ca: Buffer; cert: Buffer; key: Buffer } {
  const read = (name: string): Buffer => readFileSync(join(certPath, name));
  try {
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } catch (cause) {
    throw new RigError('machine', `cannot read Docker's certificates: ${(cause as Error).message}`, {
      next: 'set DOCKER_CERT_PATH to a folder with ca.pem, cert.pem and key.pem, or unset it',
      cause,
    });
  }
}

/** Rejects when `work` takes longer; the work itself goes on. */
export async function withDeadline<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
