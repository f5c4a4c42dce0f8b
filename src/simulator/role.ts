// A role's process on a simulated node: the daemon's own code (daemon/roles.ts),
// handed ports that come by the process and end with it.

import { createFailpoints, type FailpointActions } from '../base/failpoints.ts';
import { createLog, type Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { createApiContext } from '../daemon/api/api.ts';
import { createClusterObserver } from '../daemon/api/cluster-observer.ts';
import { createApiMetrics } from '../daemon/api/metrics.ts';
import type { ApiContext } from '../daemon/api/route.ts';
import { joinFirst } from '../daemon/cluster.ts';
import { observeReachability } from '../daemon/reachability.ts';
import { openPeers, type RolePorts, serveRole } from '../daemon/roles.ts';
import type { Settings } from '../daemon/settings.ts';
import type { Kv } from '../kv/kv.ts';
import type { Role } from '../model/volume.ts';
import type { MemoryNetwork } from '../network/memory.ts';
import type { Network } from '../network/network.ts';
import type { Exporter } from '../nfs/exporter.ts';
import type { Storage } from '../storage/storage.ts';
import { doneBy, heardBy, madeBy, noticedBy, type Process, readBy } from './process.ts';

export interface RoleOptions {
  readonly process: Process;
  readonly random: Random;
  readonly settings: Settings;
  /** Takes a line of the log, with its newline. */
  readonly print: (line: string) => void;
  readonly kv: Kv;
  /** Of this process alone: it is closed with it. */
  readonly network: MemoryNetwork;
  readonly backends: () => { readonly storage: Storage; readonly exporter: Exporter };
  /** What is to happen at failpoints; asked whenever one is reached. */
  readonly failpoints: () => FailpointActions;
  /** Ends the process as by SIGKILL. */
  readonly die: () => void;
  /** The API answers from now on, until the returned function is called. */
  readonly onApi: (context: ApiContext) => () => void;
  readonly stopping: AbortSignal;
}

/** Resolves in the process with its exit code; not at all when it dies. */
export function runRole(role: Role, options: RoleOptions): Promise<number> {
  const { process, settings } = options;
  const log = createLog({
    write: options.print,
    nowMs: process.clock.nowMs,
    level: settings.logLevel,
    fields: { node: settings.nodeName, role },
  });
  return serveRole(role, {
    openPorts: async () => portsOf(options, log),
    log,
    settings,
    stopping: options.stopping,
    openBackends: async () => options.backends(),
    runApi: (ports, _settings, signal) => runApi(ports, options, signal),
  });
}

function portsOf(options: RoleOptions, log: Log): RolePorts {
  const { process, random, settings, kv, die } = options;
  const { clock } = process;
  const network = networkOf(process, options.network);
  const onReached = (failpoint: string, effect: object) =>
    log.warn('failpoint.reached', { failpoint, ...effect });
  const actions = async (): Promise<FailpointActions> => options.failpoints();
  return {
    clock,
    random,
    log,
    kv: observeReachability(kv, log),
    node: settings.nodeName,
    failpoints: createFailpoints({ clock, actions, crash: () => crash(die), onReached }),
    credentials: { apiToken: null, tls: null, etcd: {} },
    openNetwork: async () => network,
    openCallbacks: async () => network,
  };
}

/** The process has no next line. */
function crash(die: () => void): Promise<never> {
  die();
  return new Promise<never>(() => {});
}

/** In the place of the HTTP server (daemon/roles.ts). */
async function runApi(
  ports: RolePorts,
  { settings, onApi }: RoleOptions,
  signal: AbortSignal,
): Promise<void> {
  const { usage } = await openPeers(ports);
  const { node } = ports;
  const { isReachable } = ports.kv;
  const observe = createClusterObserver({ ...ports, kv: joinFirst(ports), isReachable });
  const metrics = createApiMetrics({ node, isReachable, observe, ofProcess: false });
  const context = createApiContext({
    ...ports,
    usage,
    loopbackCallbacks: settings.callbackLoopback,
    metrics: metrics.render,
  });
  const close = onApi(context);
  ports.log.info('api.listening', { address: `http://${settings.apiHost}:${settings.apiPort}` });
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  close();
}

/** The network as the process has it: answers are heard by it, and what others ask is done by it. */
function networkOf(process: Process, network: MemoryNetwork): Network {
  return {
    call: ({ body, ...request }) => {
      process.step();
      const sent = typeof body === 'object' ? madeBy(process, body) : body;
      return heardBy(process, network.call({ ...request, ...(sent !== undefined && { body: sent }) }));
    },
    listen: (at, handler) =>
      network.listen(at, (request) => {
        const heard = {
          ...request,
          body: readBy(process, request.body),
          signal: noticedBy(process, request.signal),
        };
        return doneBy(process, () => handler(heard));
      }),
  };
}
