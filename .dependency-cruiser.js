// The architecture's dependency rules (README, "Architecture"), checked by `npm run check:rules`.

/** A rule that `from` must not import `to`. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** The parts that are data in, data out; biome.json lists the same for what needs no import. */
const PURE_RIG =
  '^src/rig/((topology|scenario|history|describe|instructions|log-lines|log-record)\\.ts$|(scenarios|checks|report|compose|faults|workload|chaos|shrink)/)';
const PURE_ROLES = '^src/daemon/(api|engine|agent)/';
const PURE = ['^src/(model|simulator|hardware)/', PURE_ROLES, PURE_RIG];

export default {
  forbidden: [
    forbid('no-cycles', 'A cycle has no first reader.', {}, { circular: true }),
    forbid(
      'no-orphans',
      'A module that nothing uses.',
      { orphan: true, pathNot: ['main\\.ts$', '^src/(index|jest)\\.ts$', '^src/rig/report/page/main\\.js$'] },
      {},
    ),
    forbid('no-unresolved', 'An import that leads nowhere.', {}, { couldNotResolve: true }),
    forbid(
      'base-is-bottom',
      'base imports nothing of the project.',
      { path: '^src/base' },
      { path: '^src/(?!base)' },
    ),
    forbid(
      'model-above-base',
      'model imports base only.',
      { path: '^src/model' },
      { path: '^src/(?!base|model)' },
    ),
    forbid(
      'backends-above-model',
      'kv, storage, nfs and network import base and model, and not each other.',
      { path: '^src/(kv|storage|nfs|network)/' },
      { path: '^src/', pathNot: ['^src/(base|model)/', '^src/$1/'] },
    ),
    forbid(
      'daemon-below-rig',
      'The product knows nothing of its tests.',
      { path: '^src/daemon' },
      { path: '^src/(rig|simulator|hardware|process|fleet|cluster|cli)' },
    ),
    forbid(
      'roles-meet-in-etcd',
      'api, engine and agent never import each other.',
      { path: '^src/daemon/(api|engine|agent)/' },
      { path: '^src/daemon/(api|engine|agent)/', pathNot: '^src/daemon/$1/' },
    ),
    forbid(
      'daemon-takes-interfaces',
      'Only daemon/main.ts chooses backends.',
      { path: '^src/daemon', pathNot: '^src/daemon/main\\.ts$' },
      {
        path: '^src/(kv/(etcd|memory)|storage/(btrfs|memory|remote)|nfs/(ganesha|memory|remote)|network/(http|memory))',
      },
    ),
    forbid(
      'one-etcd-client',
      'Only the etcd backend imports the client.',
      { path: '^src', pathNot: '^src/kv/etcd' },
      { path: 'node_modules/etcd3' },
    ),
    forbid(
      'docker-in-one-place',
      'Only rig/docker talks to Docker.',
      { path: '^src', pathNot: '^src/rig/docker/' },
      { path: 'node_modules/(dockerode|testcontainers)' },
    ),
    forbid(
      'rig-is-black-box',
      'Of the product the rig sees base, model and the raw kv.',
      { path: '^src/rig' },
      { path: '^src/(daemon|storage|nfs|network|simulator|hardware|process|fleet|cluster|cli)' },
    ),
    forbid(
      'hardware-is-modelled',
      'What modes without containers have for hardware is the models in memory, and no mode.',
      { path: '^src/hardware/' },
      { path: '^src/(daemon|network|simulator|process|kv|storage/btrfs|nfs/ganesha|rig/docker)' },
    ),
    forbid(
      'processes-from-outside',
      'Of the daemon the mode with processes sees what an operator does: its entry, its settings, its API.',
      { path: '^src/process/' },
      { path: '^src/(daemon|network|simulator|kv|storage/btrfs|nfs/ganesha|rig/docker)' },
    ),
    forbid(
      'fleet-of-agents',
      'Of the product a fleet has the agent, its models in memory, and etcd; never Docker, nor the simulator.',
      { path: '^src/fleet' },
      {
        path: '^src/',
        pathNot: [
          '^src/(base|model|kv|network|fleet)/',
          '^src/daemon/(agent/|(cluster|secret)\\.ts$)',
          '^src/(storage|nfs)/(memory|memory-perform|storage|exporter|disk-binding|durable-file)\\.ts$',
        ],
      },
    ),
    forbid(
      'rig-is-given-its-kv',
      'cli chooses the kv that the rig observes with.',
      { path: '^src/rig' },
      { path: '^src/kv/', pathNot: '^src/kv/(kv|keys)\\.ts$' },
    ),
    forbid(
      'pure-half',
      "The rig's pure half imports nothing of the project that has effects.",
      { path: PURE_RIG },
      {
        path: '^src/',
        pathNot: [
          '^src/(base|model)/',
          '^src/kv/keys\\.ts$',
          PURE_RIG,
          // Interfaces and constants only.
          '^src/rig/(deployment|observation|consumer/protocol)\\.ts$',
        ],
      },
    ),
    forbid('cli-is-top', 'Nothing imports cli.', { pathNot: '^src/cli' }, { path: '^src/cli' }),
    forbid(
      'cluster-is-for-tests',
      'Clusters in the hands of tests and commands: nothing below knows of them.',
      { path: '^src/', pathNot: '^src/((cluster|cli)/|(index|jest)\\.ts$)' },
      { path: '^src/cluster/' },
    ),
    forbid(
      'entries-are-top',
      'What the package gives to others is not for itself.',
      { path: '^src/' },
      { path: '^src/(index|jest)\\.ts$' },
    ),
    forbid(
      'jest-apart',
      'Whoever uses a cluster need not have jest.',
      { path: '^src/', pathNot: '^src/jest\\.ts$' },
      { path: 'node_modules/(@jest|jest|expect)/' },
    ),
    forbid(
      'effects-at-the-rim',
      'No sockets, files, processes, timers or chance in the pure parts: nothing of Node.',
      { path: PURE },
      { dependencyTypes: ['core'] },
    ),
    forbid(
      'pure-packages',
      'Packages that only compute.',
      { path: PURE, pathNot: PURE_ROLES },
      { path: 'node_modules/', pathNot: 'node_modules/(zod|yaml)/' },
    ),
    forbid(
      'role-packages',
      'As pure-packages; fastify and prom-client carry the API.',
      { path: PURE_ROLES },
      { path: 'node_modules/', pathNot: 'node_modules/(zod|fastify|@fastify/rate-limit|prom-client)/' },
    ),
    forbid(
      'execa-in-the-rig',
      'Only rig/docker and cli run commands with execa; the images of the product have none.',
      { path: '^src', pathNot: '^src/(cli|rig/docker)/' },
      { path: 'node_modules/execa/' },
    ),
    forbid(
      'processes-at-the-rim',
      'Processes are started by base, the supervisor, the consumer, the fleet, rig/docker, process and cli only.',
      {
        path: '^src',
        pathNot:
          '^src/((base|cli|process|rig/docker)/|(daemon/role-process|rig/consumer/(main|machine)|fleet/child)\\.ts$)',
      },
      { path: '^(node:)?child_process$' },
    ),
    forbid(
      'environment-in-settings',
      'The global `process` is what the linter watches.',
      {},
      { path: '^(node:)?process$' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // No tsConfig and no tsPreCompilationDeps: both need a TypeScript below 7. Without them
    // imports are read from the source as it is, `import type` too (test/unit/architecture.test.ts).
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
