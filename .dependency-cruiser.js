// The architecture's dependency rules (README, "Architecture"), checked by `npm run check:rules`.

/** A rule that `from` must not import `to`. */
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

export default {
  forbidden: [
    forbid('no-cycles', 'A cycle has no first reader.', {}, { circular: true }),
    forbid('no-orphans', 'A module that nothing uses.', { orphan: true, pathNot: ['main\\.ts$'] }, {}),
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
      'kv, storage and nfs import base and model, and not each other.',
      { path: '^src/(kv|storage|nfs)/' },
      { path: '^src/', pathNot: ['^src/(base|model)/', '^src/$1/'] },
    ),
    forbid(
      'daemon-below-rig',
      'The product knows nothing of its tests.',
      { path: '^src/daemon' },
      { path: '^src/(rig|simulator|cli)' },
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
      { path: '^src/(kv/(etcd|memory)|storage/(btrfs|memory)|nfs/(ganesha|memory))' },
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
      { path: '^src/(daemon|storage|nfs|simulator|cli)' },
    ),
    forbid(
      'pure-half',
      "The rig's pure half never imports its effectful half.",
      { path: '^src/rig/(topology|scenario|history|scenarios/|checks/|report/|compose/)' },
      {
        path: '^src/(rig/(docker/|lifecycle|run|perform|recorder|journal|clients|collect|consumer/main)|kv/(etcd|memory))',
      },
    ),
    forbid('cli-is-top', 'Nothing imports cli.', { pathNot: '^src/cli' }, { path: '^src/cli' }),
    forbid(
      'effects-at-the-rim',
      'No sockets, files or processes in the pure parts.',
      {
        path: [
          '^src/model',
          '^src/daemon/(api|engine|agent)/',
          '^src/rig/(topology|scenario|history|scenarios/|checks/|compose/)',
        ],
      },
      { path: '^(node:)?(net|fs|fs/promises|child_process|http|https|dgram|timers|timers/promises)$' },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
