const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' } },
  ],
};

/** One jest project per kind of test, so that `npm run test:<kind>` runs just that. */
const project = (displayName, extra = {}) => ({
  displayName,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${displayName}/**/*.test.ts`],
  extensionsToTreatAsEsm: ['.ts'],
  transform,
  ...extra,
});

/** testcontainers needs our images, and a reaper of ours. */
const withContainers = {
  globalSetup: '<rootDir>/test/support/containers-setup.ts',
  globalTeardown: '<rootDir>/test/support/containers-teardown.ts',
};

export default {
  // What ends a test that hangs, however busy the machine is; what has to be fast is asserted.
  testTimeout: 120_000,
  projects: [
    project('unit'),
    project('contract', withContainers),
    project('integration', withContainers),
    project('system', { globalSetup: '<rootDir>/test/support/images-setup.ts' }),
    // What measures the machine, looks for what is left on it, or comes to a verdict, which a busy machine leaves unknown.
    project('alone'),
    project('nightly'),
  ],
};
