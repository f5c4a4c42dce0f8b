// The daemon's entry. Without arguments: the supervisor of a node. With
// `--role <role>`: that role, as the supervisor starts it. With `--warm-up`:
// loads everything once, so that V8's compile cache (NODE_COMPILE_CACHE) holds
// it when an image is built. Settings come from the environment (settings.ts).
//
// This is the only file of the daemon that chooses backends. What a process
// doesn't need is not loaded: a node starts four of them at once.

import { enableCompileCache, flushCompileCache } from 'node:module';
import type { Role } from '../model/volume.ts';
import type { Network } from '../network/network.ts';
import type { Credentials } from './credentials.ts';
import type { RolePorts } from './roles.ts';

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
const { EXIT_FAILED, EXIT_REFUSED, supervise } = await import('./supervisor.ts');

type Settings = ReturnType<typeof readSettings>;

/** Less than the supervisor waits before it kills. */
const ROLE_STOP_TIMEOUT_MS = 4000;
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
  const [{ acquireInstanceLock }, { spawnRole }, { readCredentials }] = await Promise.all([
    import('./lock.ts'),
    import('./role-process.ts'),
    import('./credentials.ts'),
  ]);
  // The roles read them for themselves; here they are refused before anything starts.
  await readCredentials(settings);
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
  const { serveRole } = await import('./roles.ts');
  const code = await serveRole(role, {
    settings,
    log,
    stopping,
    openPorts: () => openPorts(settings, log),
    openBackends: () => openBackends(settings),
    onReady: flushCompileCache,
  });
  // Whatever still holds the event loop must not keep a role alive that has ended.
  process.exit(code);
}

/** As a power cut ends it: by a signal that can't be caught. */
function crash(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  return new Promise<never>(() => {});
}

async function openPorts(settings: Settings, log: ReturnType<typeof createLog>): Promise<RolePorts> {
  const [{ createEtcdKv }, { observeReachability }, { createFailpoints }, { readCredentials }] =
    await Promise.all([
      import('../kv/etcd.ts'),
      import('./reachability.ts'),
      import('../base/failpoints.ts'),
      import('./credentials.ts'),
    ]);
  const credentials = await readCredentials(settings);
  const { user, password, ca, cert, key } = credentials.etcd;
  const readPassword = async () => (await readCredentials(settings)).etcd.password;
  const tls = { ca, cert, key };
  const kv = createEtcdKv({ endpoints: settings.etcdEndpoints, user, password, readPassword, tls });
  const actions = await failpointActions(settings, log);
  const onReached = (failpoint: string, effect: object) =>
    log.warn('failpoint.reached', { failpoint, ...effect });
  const failpoints = createFailpoints({ clock, actions, crash, onReached });
  const node = settings.nodeName;
  return {
    clock,
    random,
    log,
    kv: observeReachability(kv, log),
    node,
    failpoints,
    credentials,
    openNetwork: () => openNetwork(credentials),
    openCallbacks,
  };
}

/** What is off can't be switched on, unless settings name a file for it. */
async function failpointActions({ failpoints, failpointsFile }: Settings, log: ReturnType<typeof createLog>) {
  if (failpointsFile === null) return failpoints;
  const { switchedByFile } = await import('./failpoints-file.ts');
  return switchedByFile({ path: failpointsFile, log, otherwise: failpoints });
}

/** The same certificate is shown to whoever calls and to whoever is called; all must have one of the authority. */
async function openNetwork({ tls }: Credentials): Promise<Network> {
  const { createHttpNetwork } = await import('../network/http.ts');
  return createHttpNetwork({ clock, ...(tls === null ? {} : { tls: { ...tls, requireClientCert: true } }) });
}

/** Consumers' certificates are of whatever authority the system trusts. */
async function openCallbacks(): Promise<Network> {
  const { createHttpNetwork } = await import('../network/http.ts');
  return createHttpNetwork({ clock });
}

async function openBackends(settings: Settings) {
  if (settings.backendsSocket !== null) return openRemoteBackends(settings.backendsSocket);
  const [storage, exporter] = await Promise.all([openStorage(settings), openExporter(settings)]);
  return { storage, exporter };
}

/** Disk and NFS server of a node outlive its daemon, and know one life of the agent from the next. */
async function openRemoteBackends(socketPath: string) {
  const [{ createRemoteObject }, { createRemoteStorage }, { createRemoteExporter }] = await Promise.all([
    import('../base/remote-object.ts'),
    import('../storage/remote.ts'),
    import('../nfs/remote.ts'),
  ]);
  const at = { socketPath, caller: String(process.pid) };
  return {
    storage: createRemoteStorage(createRemoteObject({ ...at, object: 'storage' })),
    exporter: createRemoteExporter(createRemoteObject({ ...at, object: 'exporter' })),
  };
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
    import('../network/http.ts'),
    import('../nfs/ganesha.ts'),
    import('../storage/btrfs.ts'),
    import('./agent/agent.ts'),
    import('./api/api.ts'),
    import('./api/cluster-observer.ts'),
    import('./api/metrics.ts'),
    import('./api/server.ts'),
    import('./cluster.ts'),
    import('./credentials.ts'),
    import('./engine/engine.ts'),
    import('./engine/notify/notifier.ts'),
    import('./lock.ts'),
    import('./peers.ts'),
    import('./reachability.ts'),
    import('./role-process.ts'),
    import('./roles.ts'),
  ]);
  flushCompileCache();
  return 0;
}
