// The daemon's entry. Without arguments: the supervisor of a node. With
// `--role <role>`: that role, as the supervisor starts it. With `--warm-up`:
// loads everything once, so that V8's compile cache (NODE_COMPILE_CACHE) holds
// it when an image is built. Settings come from the environment (settings.ts).
//
// This is the only file of the daemon that chooses backends. What a process
// doesn't need is not loaded: a node starts four of them at once.

import { enableCompileCache, flushCompileCache } from 'node:module';
import type { Role } from '../model/volume.ts';

enableCompileCache();

const [
  { createSystemClock },
  { hasCode, RigError },
  { createLog },
  { createSystemRandom },
  { readSettings },
] = await Promise.all([
  import('../base/clock.ts'),
  import('../base/errors.ts'),
  import('../base/log.ts'),
  import('../base/random.ts'),
  import('./settings.ts'),
]);
const { EXIT_REFUSED, supervise } = await import('./supervisor.ts');

type Settings = ReturnType<typeof readSettings>;
type Ports = Awaited<ReturnType<typeof openPorts>>;

/** Less than the supervisor waits before it kills. */
const ROLE_STOP_TIMEOUT_MS = 4000;
const EXIT_FAILED = 1;
const EXIT_USAGE = 64;

const clock = createSystemClock();
const random = createSystemRandom();

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const [option, value] = args;
    if (option === '--warm-up' && args.length === 1) return await warmUp();
    if (option === '--role' && isRole(value) && args.length === 2) return await runRole(value);
    if (args.length === 0) return await runSupervisor();
    process.stderr.write('usage: main.ts [--role api|engine|agent | --warm-up]\n');
    return EXIT_USAGE;
  } catch (error) {
    const cause = RigError.from(error);
    process.stderr.write(`cobalt: ${cause.message}${cause.next === undefined ? '' : `. ${cause.next}`}\n`);
    return hasCode(error, 'invalid', 'unsupported') ? EXIT_REFUSED : EXIT_FAILED;
  }
}

function isRole(value: string | undefined): value is Role {
  return value === 'api' || value === 'engine' || value === 'agent';
}

function logOf(settings: Settings, role: Role | 'supervisor') {
  return createLog({
    write: (line) => process.stdout.write(line),
    nowMs: clock.nowMs,
    level: settings.logLevel,
    fields: { node: settings.nodeName, role },
  });
}

/** Fires at the first SIGTERM or SIGINT. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => controller.abort());
  return controller.signal;
}

async function runSupervisor(): Promise<number> {
  const settings = readSettings();
  const [{ acquireInstanceLock }, { spawnRole }] = await Promise.all([
    import('./lock.ts'),
    import('./role-process.ts'),
  ]);
  await using _lock = await acquireInstanceLock(settings);
  const log = logOf(settings, 'supervisor');
  const { roles, restart } = settings;
  const start = (role: Role) => spawnRole({ main: import.meta.filename, role });
  return await supervise({ clock, random, log, roles, restart, start }, stopSignal());
}

async function runRole(role: Role): Promise<number> {
  const { onSupervisorGone } = await import('./role-process.ts');
  // At once: nobody is left to supervise, and the lock is free for another daemon.
  onSupervisorGone(() => process.exit(EXIT_FAILED));
  const settings = readSettings();
  const log = logOf(settings, role);
  const stopping = stopSignal();
  stopping.addEventListener('abort', () => {
    clock.after(ROLE_STOP_TIMEOUT_MS, () => {
      log.warn('role.stop-timeout', { afterMs: ROLE_STOP_TIMEOUT_MS });
      process.exit(EXIT_FAILED);
    });
  });
  const code = await serveRole(role, { settings, log, stopping }).catch((error: unknown) => {
    if (stopping.aborted) return 0;
    log.error(hasCode(error, 'unsupported') ? 'role.refused' : 'role.crashed', { cause: error });
    return hasCode(error, 'unsupported') ? EXIT_REFUSED : EXIT_FAILED;
  });
  // Whatever still holds the event loop must not keep a role alive that has ended.
  process.exit(code);
}

async function serveRole(
  role: Role,
  context: {
    readonly settings: Settings;
    readonly log: ReturnType<typeof createLog>;
    readonly stopping: AbortSignal;
  },
): Promise<number> {
  const { settings, log } = context;
  // A role that is refused by the cluster ends by itself, as if it had been asked to.
  const refusal = new AbortController();
  const signal = AbortSignal.any([context.stopping, refusal.signal]);
  const ports = await openPorts(settings, log);
  const { joinWhenReachable } = await import('./cluster.ts');
  const joined = joinWhenReachable({ ...ports, signal });
  joined.catch((error: unknown) => refusal.abort(error));
  log.debug('role.ready');
  flushCompileCache();
  if (role === 'api') {
    await runApi(ports, settings, signal);
  } else {
    await joined;
    await (role === 'engine' ? runEngine : runAgent)(ports, settings, signal);
  }
  await ports.kv.close();
  if (refusal.signal.aborted && !context.stopping.aborted) throw refusal.signal.reason;
  return 0;
}

async function openPorts(settings: Settings, log: ReturnType<typeof createLog>) {
  const [{ createEtcdKv }, { observeReachability }] = await Promise.all([
    import('../kv/etcd.ts'),
    import('./reachability.ts'),
  ]);
  const kv = observeReachability(createEtcdKv({ endpoints: settings.etcdEndpoints }), log);
  return { clock, random, log, kv, node: settings.nodeName };
}

async function runApi(ports: Ports, settings: Settings, signal: AbortSignal): Promise<void> {
  const [{ createApiContext }, { createApiMetrics }, { ROUTES }, { createServer }] = await Promise.all([
    import('./api/api.ts'),
    import('./api/metrics.ts'),
    import('./api/routes.ts'),
    import('./api/server.ts'),
  ]);
  const metrics = createApiMetrics({ node: ports.node, isReachable: ports.kv.isReachable });
  const context = createApiContext({ ...ports, metrics: metrics.render });
  const server = createServer({ context, routes: ROUTES, metrics });
  const address = await server.listen({ host: settings.apiHost, port: settings.apiPort });
  ports.log.info('api.listening', { address });
  if (!signal.aborted) {
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }
  await server.close();
}

async function runEngine(ports: Ports, settings: Settings, signal: AbortSignal): Promise<void> {
  const [{ createEngine }, { joinFirst }, { createFailpoints }] = await Promise.all([
    import('./engine/engine.ts'),
    import('./cluster.ts'),
    import('../base/failpoints.ts'),
  ]);
  const failpoints = createFailpoints({ clock, actions: settings.failpoints });
  // An agent asks its disk which cluster is its own; an engine has nothing but etcd.
  const kv = joinFirst(ports);
  await createEngine({ ...ports, kv, failpoints, leaseTtlSeconds: settings.leaseTtlSeconds }).run(signal);
}

async function runAgent(ports: Ports, settings: Settings, signal: AbortSignal): Promise<void> {
  const [{ createAgent }, { storage, exporter }] = await Promise.all([
    import('./agent/agent.ts'),
    openBackends(settings),
  ]);
  const { nodeName, address, roles, labels, capacityGib, volumePath } = settings;
  const agent = createAgent({
    ...ports,
    storage,
    exporter,
    facts: {
      node: nodeName,
      address,
      roles,
      labels,
      capacityGib,
      volumePath,
      virtual: settings.storage === 'memory',
    },
    leaseTtlSeconds: settings.leaseTtlSeconds,
    reconcileIntervalMs: settings.reconcileIntervalMs,
    trashRetentionMs: settings.trashRetentionMs,
  });
  await agent.run(signal);
}

async function openBackends(settings: Settings) {
  const [storage, exporter] = await Promise.all([openStorage(settings), openExporter(settings)]);
  return { storage, exporter };
}

async function openStorage({ storage, volumePath, capacityGib }: Settings) {
  if (storage === 'btrfs') {
    const { createBtrfsStorage } = await import('../storage/btrfs.ts');
    return createBtrfsStorage({ root: volumePath, clock });
  }
  const [{ createMemoryStorage }, { gibToBytes }] = await Promise.all([
    import('../storage/memory.ts'),
    import('../base/units.ts'),
  ]);
  // As in the containers, the disk is a quarter larger than what may be reserved.
  return createMemoryStorage({
    clock,
    ...(capacityGib === null ? {} : { totalBytes: gibToBytes(capacityGib * 1.25) }),
  });
}

async function openExporter({ exporter, volumePath }: Settings) {
  if (exporter === 'ganesha') {
    const { createGaneshaExporter } = await import('../nfs/ganesha.ts');
    return createGaneshaExporter({ root: volumePath, clock });
  }
  const { createMemoryExporter } = await import('../nfs/memory.ts');
  return createMemoryExporter();
}

async function warmUp(): Promise<number> {
  await Promise.all([
    import('../kv/etcd.ts'),
    import('../nfs/ganesha.ts'),
    import('../storage/btrfs.ts'),
    import('./agent/agent.ts'),
    import('./api/api.ts'),
    import('./api/metrics.ts'),
    import('./api/server.ts'),
    import('./cluster.ts'),
    import('./engine/engine.ts'),
    import('./lock.ts'),
    import('./reachability.ts'),
    import('./role-process.ts'),
  ]);
  flushCompileCache();
  return 0;
}
