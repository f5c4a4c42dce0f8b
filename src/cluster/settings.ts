// Everything that the rig reads from its environment, in one place.
// `.env.template` documents each variable that is for people to set.

import { RigError } from '../base/errors.ts';
import { type EngineOptions, engineHost, socketInEngine } from '../rig/docker/engine.ts';
import type { LogStore } from '../rig/log-shipper.ts';

export interface RigSettings {
  /** Which Docker Engine is meant. */
  readonly engine: EngineOptions;
  /** The engine's socket as a container on that engine mounts it: what the reaper talks to. */
  readonly socketInEngine: string;
}

export interface ProgramSettings {
  /** etcd's program for clusters of processes; undefined: the first on the search path. */
  readonly etcdBinary: string | undefined;
  readonly searchPath: string;
}

/** How the rig was started. */
export interface Started {
  /** scripts/rig as it was called; undefined where it was something else. */
  readonly script: string | undefined;
  /** The npm script by which; undefined without. */
  readonly npmScript: string | undefined;
}

/** Neither variable is for people to set. */
export const readStarted = (environment: NodeJS.ProcessEnv = process.env): Started => ({
  script: environment.COBALT_RIG_COMMAND || undefined,
  npmScript: environment.npm_lifecycle_event || undefined,
});

/** For what needs no Docker. */
export function readProgramSettings(environment: NodeJS.ProcessEnv = process.env): ProgramSettings {
  const { PATH: searchPath = '' } = environment;
  return { etcdBinary: environment.COBALT_RIG_ETCD || undefined, searchPath };
}

/**
 * Where all logs go besides their files; undefined when nowhere. Throws `invalid` for half of an address, and for a port
 * that is none.
 */
export function readLogStore(environment: NodeJS.ProcessEnv = process.env): LogStore | undefined {
  const host = environment.LOGSTASH_HOST ?? '';
  const port = environment.LOGSTASH_PORT ?? '';
  if (host === '' && port === '') return undefined;
  if (host === '' || port === '') {
    throw new RigError('invalid', 'LOGSTASH_HOST and LOGSTASH_PORT are given together or not at all', {
      next: `Set ${host === '' ? 'LOGSTASH_HOST' : 'LOGSTASH_PORT'} too.`,
    });
  }
  if (/^[0-9]{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)
    return { host, port: Number(port) };
  throw new RigError('invalid', `LOGSTASH_PORT is '${port}', which is no port`, {
    next: 'Give a number from 1 to 65535.',
  });
}

const ETCD_VARIABLES = [
  'COBALT_ETCD_USER',
  'COBALT_ETCD_PASSWORD_FILE',
  'COBALT_ETCD_CA_FILE',
  'COBALT_ETCD_CERT_FILE',
  'COBALT_ETCD_KEY_FILE',
] as const;

/** Who we are to an etcd that is there, as a daemon is told it; none is looked into. */
export function readEtcdVariables(
  environment: NodeJS.ProcessEnv = process.env,
): Readonly<Record<string, string>> {
  const given = ETCD_VARIABLES.map((name) => [name, environment[name] ?? ''] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

/** Throws `machine` when a Docker CLI context is named that doesn't exist. */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): RigSettings {
  const engine: EngineOptions = {
    host: environment.DOCKER_HOST,
    context: environment.DOCKER_CONTEXT,
    certPath: environment.DOCKER_CERT_PATH || undefined,
    sshAgent: environment.SSH_AUTH_SOCK,
    configPath: environment.DOCKER_CONFIG,
  };
  const override = environment.COBALT_RIG_DOCKER_SOCKET;
  return { engine, socketInEngine: override || socketInEngine(engineHost(engine)) };
}
