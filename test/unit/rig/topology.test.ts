import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { hasCode } from '../../../src/base/errors.ts';
import { parseTopology } from '../../../src/rig/topology.ts';

describe("README's example of a topology", () => {
  it('is one', () => {
    const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8');
    const [, example = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
    expect(parseTopology(parse(example), 'README.md').nodes.map(({ name }) => name)).toContain('witness');
  });
});

describe('a topology', () => {
  it('is filled in with defaults', () => {
    const topology = parseTopology({ nodes: [{ name: 'node1' }] }, 'test');
    expect(topology.nodes[0]).toEqual({
      name: 'node1',
      roles: ['api', 'engine', 'agent'],
      capacityGib: 8,
      labels: {},
      restart: { api: 'always', engine: 'always', agent: 'always' },
      disk: 'plain',
      clock: 'host',
      starts: 'now',
    });
    expect(topology.settings.leaseTtlSeconds).toBe(3);
    expect(topology.system).toEqual({ kind: 'source' });
  });

  it.each([
    ['nothing', undefined, 'the topology is missing'],
    ['an empty file', null, 'the topology must be an object, not null'],
    ['no nodes', { nodes: [] }, "'nodes'"],
    ['a name with a path', { nodes: [{ name: '../x' }] }, "'nodes.0.name'"],
    ['an unknown field', { nodes: [{ name: 'a', disks: 3 }] }, "'nodes.0.disks'"],
    [
      'a lease shorter than etcd grants',
      { nodes: [{ name: 'a' }], settings: { leaseTtlSeconds: 1 } },
      'leaseTtlSeconds',
    ],
    [
      'several mistakes',
      { nodes: [{ name: 'a', disks: 3 }, { name: 'a' }], settings: { maxMoves: -1 } },
      "'nodes.0.disks' is not a known field; 'settings.maxMoves' must be at least 0; 'nodes' must have names",
    ],
    ['two members of one name', { nodes: [{ name: 'a' }], consumers: ['a'] }, "'nodes'"],
    ['a node called etcd', { nodes: [{ name: 'etcd' }] }, "'nodes'"],
    [
      'an image that is an option',
      { nodes: [{ name: 'a' }], system: { kind: 'image', image: '--privileged' } },
      "'system.image'",
    ],
  ])('is refused with %s, naming the field', (_what, input, field) => {
    let thrown: unknown;
    try {
      parseTopology(input, 'mine.yaml');
    } catch (error) {
      thrown = error;
    }
    expect(hasCode(thrown, 'invalid')).toBe(true);
    expect(String(thrown)).toContain('mine.yaml');
    expect(String(thrown)).toContain(field);
  });
});
