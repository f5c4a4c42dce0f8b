import { describe, expect, it } from '@jest/globals';
import { createSidecars } from '../../../src/rig/docker/sidecars.ts';

/** An engine in which nothing that is to join another's network can be started, and names are taken once. */
function createEngine() {
  const names = new Set<string>();
  const docker = {
    createContainer: async ({ name }: { readonly name: string }) => {
      if (names.has(name)) throw new Error(`Conflict. The container name "/${name}" is already in use`);
      names.add(name);
      return {
        start: async () => {
          throw new Error('cannot join network of a non running container');
        },
      };
    },
    getContainer: (name: string) => ({
      remove: async () => {
        if (!names.delete(name)) throw Object.assign(new Error('no such container'), { statusCode: 404 });
      },
    }),
  };
  return { docker, names };
}

describe('the sidecar of a member', () => {
  it('can be started after it could not be, because the member had ended meanwhile', async () => {
    const { docker, names } = createEngine();
    let network = 1;
    const containers = {
      inspect: async () => {
        network += 1;
        return {
          State: { Running: true },
          NetworkSettings: { SandboxID: `network ${network}`, Networks: { one: { IPAddress: '10.0.0.2' } } },
        };
      },
      get: async () => ({ id: 'member' }),
    };
    const options = { docker, containers, image: 'image', project: 'project', runId: 'run' };
    const sidecars = createSidecars(options as never);
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(sidecars.ready('etcd1')).rejects.toThrow('non running container');
    expect([...names]).toEqual(['project-etcd1-links']);
  });
});
