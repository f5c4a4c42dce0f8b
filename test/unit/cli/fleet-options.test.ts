import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { clusterOf, parseEndpoints, withProfile } from '../../../src/cli/fleet-options.ts';
import { profileSchema } from '../../../src/fleet/profiles.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-options-'));
});

afterEach(() => rm(folder, { recursive: true }));

const flags = { nodes: 2, prefix: 'sim', profile: 'plain', heartbeat: 10, sharedDevices: 0, seenBy: 2 };

describe('the options of a fleet', () => {
  it('take a profile from a file, under its name', async () => {
    const path = join(folder, 'rack.yaml');
    await writeFile(path, 'capacityGib: 200\nlabels: { rack: r1 }\n');
    const cluster = await clusterOf({ ...flags, profile: path });
    expect(cluster).toMatchObject({ profile: 'rack', profiles: { rack: { capacityGib: 200 } } });
    expect(cluster.nodes.map(({ profile }) => profile)).toEqual(['rack', 'rack']);
  });

  it('refuse a file that is nonsense, naming it and its field', async () => {
    const path = join(folder, 'rack.yaml');
    await writeFile(path, 'capacityGib: -1\n');
    await expect(clusterOf({ ...flags, profile: path })).rejects.toThrow(
      /rack\.yaml is no hardware profile: capacityGib/,
    );
    await writeFile(path, 'a: [');
    await expect(clusterOf({ ...flags, profile: path })).rejects.toThrow(
      /cannot read the profile .*rack\.yaml/,
    );
  });

  it('leave nodes that are there the profile that they have', async () => {
    const cluster = await clusterOf(flags);
    const other = profileSchema.parse({ capacityGib: 7 });
    const changed = withProfile(cluster, { name: 'plain', profile: other });
    expect(changed).toMatchObject({
      profile: 'plain-2',
      profiles: { plain: { capacityGib: 64 }, 'plain-2': { capacityGib: 7 } },
    });
    expect(withProfile(changed, { name: 'plain', profile: other }).profile).toBe('plain-2');
    expect(withProfile(changed, { name: 'new', profile: other }).profile).toBe('new');
  });

  it('take several endpoints of etcd', () => {
    expect(parseEndpoints('http://127.0.0.1:2379/, http://etcd2:2379')).toEqual([
      'http://127.0.0.1:2379',
      'http://etcd2:2379',
    ]);
    expect(() => parseEndpoints('127.0.0.1:2379')).toThrow("'127.0.0.1:2379' is no endpoint of etcd");
  });
});
