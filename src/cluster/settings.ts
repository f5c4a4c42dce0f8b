// Everything that the rig reads from its environment, in one place.
// `.env.template` documents each variable.

import { type EngineOptions, engineHost, socketInEngine } from '../rig/docker/engine.ts';

export interface RigSettings {
  /** Which Docker Engine is meant. */
  readonly engine: EngineOptions;
  /** The engine's socket as a container on that engine mounts it: what the reaper talks to. */
  readonly socketInEngine: string;
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
