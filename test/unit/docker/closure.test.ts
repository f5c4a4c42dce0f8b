import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { type LockedPackage, productionClosure } from '../../../src/rig/docker/closure.ts';

const lock = (packages: Record<string, LockedPackage>) => ({ packages });
const paths = (packages: Record<string, LockedPackage>, ...roots: string[]): string[] =>
  productionClosure(lock(packages), roots).map(({ path }) => path);

describe('productionClosure', () => {
  it('follows dependencies through a cycle, and leaves out what nothing needs', () => {
    const packages = {
      'node_modules/a': { dependencies: { b: '1' } },
      'node_modules/b': { dependencies: { a: '1' } },
      'node_modules/dev-tool': {},
    };
    expect(paths(packages, 'a')).toEqual(['node_modules/a', 'node_modules/b']);
  });

  it('resolves a name as Node does: the nearest node_modules wins, then those above it', () => {
    const packages = {
      'node_modules/a': { dependencies: { b: '2', c: '1' } },
      'node_modules/a/node_modules/b': { dependencies: { c: '1', '@s/d': '1' } },
      'node_modules/b': {},
      'node_modules/c': {},
      'node_modules/@s/d': { dependencies: { c: '2' } },
      'node_modules/@s/d/node_modules/c': {},
    };
    expect(paths(packages, 'a')).toEqual([
      'node_modules/@s/d',
      'node_modules/@s/d/node_modules/c',
      'node_modules/a',
      'node_modules/a/node_modules/b',
      'node_modules/c',
    ]);
  });

  it('takes required peers, and optional packages only where the lock has them', () => {
    const packages = {
      'node_modules/a': {
        dependencies: { gone: '1' },
        optionalDependencies: { gone: '1', here: '1' },
        peerDependencies: { peer: '1', extra: '1' },
        peerDependenciesMeta: { extra: { optional: true } },
      },
      'node_modules/here': {},
      'node_modules/peer': {},
      'node_modules/extra': {},
    };
    expect(paths(packages, 'a')).toEqual(['node_modules/a', 'node_modules/here', 'node_modules/peer']);
  });

  it('refuses a lock file without a required package, and names both ends', () => {
    expect(() => paths({ 'node_modules/a': { dependencies: { b: '1' } } }, 'a')).toThrow(
      'package-lock.json has no b, which node_modules/a needs',
    );
  });

  it("has the daemon's packages and none of the rig's, by this repository's lock file", () => {
    const own = JSON.parse(readFileSync('package-lock.json', 'utf8'));
    const names = productionClosure(own, ['etcd3', 'fastify', 'zod', 'prom-client']).map(({ path }) => path);
    expect(names).toEqual(expect.arrayContaining(['node_modules/@grpc/grpc-js', 'node_modules/avvio']));
    for (const foreign of ['dockerode', 'testcontainers', 'jest', 'typescript', 'node']) {
      expect(names).not.toContain(`node_modules/${foreign}`);
    }
  });
});
