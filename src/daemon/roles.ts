// What each role does for as long as its process lives, given its ports. Every
// role's own code is loaded by whoever has the role: a node starts several
// processes at once, and loading is most of what they do then.

import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { Failpoints } from '../base/failpoints.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Role } from '../model/volume.ts';
import type { Network } from '../network/network.ts';
import type { Exporter } from '../nfs/exporter.ts';
import type { Storage } from '../storage/storage.ts';
import type { Credentials } from './credentials.ts';
import type { ObservedKv } from './reachability.ts';
import type { Settings } from './settings.ts';
import { EXIT_FAILED, EXIT_REFUSED } from './supervisor.ts';

export interface RolePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly kv: ObservedKv;
  readonly node: string;
  readonly failpoints: Failpoints;
  readonly credentials: Credentials;
  readonly openNetwork: () => Promise<Network>;
  /** To consumers, who are no peers: without the cluster's certificate and its authority. */
  readonly openCallbacks: () => Promise<Network>;
}

export interface ServeOptions {
  readonly openPorts: () => Promise<RolePorts>;
  readonly log: Log;
  readonly settings: Settings;
  readonly stopping: AbortSignal;
  /** Disk and NFS server, of an agent. */
  readonly openBackends: () => Promise<{ readonly storage: Storage; readonly exporter: Exporter }>;
  /** What carries the API's calls to it. Default: HTTP. */
  readonly runApi?: typeof runApi;
  /** All that it takes is loaded. */
  readonly onReady?: () => void;
}

/**
 * The life of a role's process. Answers with its exit code: 0 when it was asked to end, 78 when the
 * cluster refuses it, 1 when it failed; it logs why. Never rejects.
 */
export async function serveRole(role: Role, options: ServeOptions): Promise<number> {
  const { stopping, log } = options;
  try {
    await serve(role, options);
    return 0;
  } catch (error) {
    if (stopping.aborted) return 0;
    const isRefused = hasCode(error, 'unsupported');
    const { next } = RigError.from(error);
    log.error(isRefused ? 'role.refused' : 'role.crashed', { cause: error, next });
    return isRefused ? EXIT_REFUSED : EXIT_FAILED;
  }
}

async function serve(role: Role, options: ServeOptions): Promise<void> {
  const { settings, stopping, openBackends, log, onReady } = options;
  // A role that is refused by the cluster ends by itself, as if it had been asked to.
  const refusal = new AbortController();
  const signal = AbortSignal.any([stopping, refusal.signal]);
  const [ports, { joinWhenReachable }] = await Promise.all([options.openPorts(), import('./cluster.ts')]);
  const joined = joinWhenReachable({ ...ports, signal });
  joined.catch((error: unknown) => refusal.abort(error));
  log.debug('role.ready');
  onReady?.();
  if (role === 'api') {
    await (options.runApi ?? runApi)(ports, settings, signal);
  } else {
    await joined;
    if (role === 'engine') await runEngine(ports, settings, signal);
    else await runAgent({ ...ports, ...(await openBackends()) }, settings, signal);
  }
  await ports.kv.close();
  if (refusal.signal.aborted && !stopping.aborted) throw refusal.signal.reason;
}

/** Serves until the signal fires, then lets the calls under way end. */
export async function runApi(ports: RolePorts, settings: Settings, signal: AbortSignal): Promise<void> {
  const [
    { createApiContext },
    { createClusterObserver },
    { createApiMetrics },
    { ROUTES },
    { createServer, LISTEN_BACKLOG },
    { joinFirst },
    { tokenCheck },
    peers,
  ] = await Promise.all([
    import('./api/api.ts'),
    import('./api/cluster-observer.ts'),
    import('./api/metrics.ts'),
    import('./api/routes.ts'),
    import('./api/server.ts'),
    import('./cluster.ts'),
    import('./credentials.ts'),
    openPeers(ports),
  ]);
  const { apiToken, tls } = ports.credentials;
  const clientCerts = settings.apiClientCerts;
  const { node } = ports;
  const { isReachable } = ports.kv;
  const observe = createClusterObserver({ ...ports, kv: joinFirst(ports), isReachable });
  const metrics = createApiMetrics({ node, isReachable, observe });
  const context = createApiContext({
    ...ports,
    metrics: metrics.render,
    usage: peers.usage,
    loopbackCallbacks: settings.callbackLoopback,
    protection: { token: apiToken !== null, certificate: clientCerts === 'required' },
  });
  const server = createServer({
    context,
    routes: ROUTES,
    metrics,
    clientCerts,
    ratePerSecond: settings.apiRatePerSecond,
    ...(tls === null ? {} : { tls }),
    ...(apiToken === null ? {} : { isToken: tokenCheck(apiToken) }),
  });
  const address = await server.listen({
    host: settings.apiHost,
    port: settings.apiPort,
    backlog: LISTEN_BACKLOG,
  });
  ports.log.info('api.listening', { address });
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  await server.close();
}

/**
 * Plans until the signal fires, in a cluster that this node has joined. Rejects with `unavailable` when
 * that has become of another version since.
 */
export async function runEngine(ports: RolePorts, settings: Settings, signal: AbortSignal): Promise<void> {
  const [{ createEngine }, { joinFirst }, { createNotifier }, network] = await Promise.all([
    import('./engine/engine.ts'),
    import('./cluster.ts'),
    import('./engine/notify/notifier.ts'),
    ports.openCallbacks(),
  ]);
  // An agent asks its disk which cluster is its own; an engine has nothing but etcd.
  const kv = joinFirst(ports);
  const { leaseTtlSeconds, maxMoves, rebalancePercent, callbackGiveUpMs, callbackLoopback } = settings;
  const whileLeading = createNotifier({
    ...ports,
    kv,
    network,
    giveUpMs: callbackGiveUpMs,
    loopback: callbackLoopback,
  });
  const engine = createEngine({ ...ports, kv, leaseTtlSeconds, maxMoves, rebalancePercent, whileLeading });
  await engine.run(signal).catch((error: unknown) => {
    throw hasCode(error, 'unsupported') ? outageOf(RigError.from(error)) : error;
  });
}

/** What was ours and is another cluster now may become ours again: no refusal, which would end the whole node. */
function outageOf(cause: RigError): RigError {
  const { message, definite, next } = cause;
  return new RigError('unavailable', message, { definite, cause, ...(next !== undefined && { next }) });
}

export async function runAgent(
  ports: RolePorts & { readonly storage: Storage; readonly exporter: Exporter },
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  const [{ createAgent }, network] = await Promise.all([import('./agent/agent.ts'), ports.openNetwork()]);
  const { nodeName, address, roles, labels, capacityGib, volumePath, agentHost, agentPort } = settings;
  const virtual = settings.storage === 'memory';
  const scheme = ports.credentials.tls === null ? 'http' : 'https';
  const agentUrl = `${scheme}://${address.includes(':') ? `[${address}]` : address}:${agentPort}`;
  const agent = createAgent({
    ...ports,
    network,
    listen: { host: agentHost, port: agentPort },
    facts: { node: nodeName, address, agentUrl, roles, labels, capacityGib, volumePath, virtual },
    leaseTtlSeconds: settings.leaseTtlSeconds,
    reconcileIntervalMs: settings.reconcileIntervalMs,
    trashRetentionMs: settings.trashRetentionMs,
  });
  await agent.run(signal);
}

/** Asks other nodes' agents, as an API does. */
export async function openPeers(ports: RolePorts) {
  const [{ createPeers }, { createSecret }, network] = await Promise.all([
    import('./peers.ts'),
    import('./secret.ts'),
    ports.openNetwork(),
  ]);
  return createPeers({ ...ports, network, secret: createSecret(ports) });
}
