import { describe, expect, it } from '@jest/globals';
import { createSidecars } from '../../../src/rig/docker/sidecars.ts';

/** Time passes when somebody sleeps. */
function createSleeper() {
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
}

const OPTIONS = { clock: createSleeper(), image: 'image', project: 'project', runId: 'run' };

const stateOf = ({ isRunning }: { readonly isRunning: boolean }) => ({
  State: { Running: isRunning },
  NetworkSettings: { SandboxID: 'network 1', Networks: { one: { IPAddress: '10.0.0.2' } } },
});

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
    const sidecars = createSidecars({ ...OPTIONS, docker, containers } as never);
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(sidecars.ready('etcd1')).rejects.toMatchObject({ code: 'unavailable' });
    expect([...names]).toEqual(['project-etcd1-links']);
  });

  it('is not to be had of a member that ends meanwhile, of which the engine learns later', async () => {
    const { docker } = createEngine();
    let looks = 0;
    const containers = {
      inspect: async () => {
        looks += 1;
        return stateOf({ isRunning: looks < 4 });
      },
      get: async () => ({ id: 'member' }),
    };
    const sidecars = createSidecars({ ...OPTIONS, docker, containers } as never);
    await expect(sidecars.ready('node2')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'node2 ended while its sidecar was being started',
    });
    expect(looks).toBe(4);
  });

  it('is the fault of the machine when it can not be started beside a member that runs on', async () => {
    const { docker } = createEngine();
    const containers = {
      inspect: async () => stateOf({ isRunning: true }),
      get: async () => ({ id: 'member' }),
    };
    const sidecars = createSidecars({ ...OPTIONS, docker, containers } as never);
    await expect(sidecars.ready('node2')).rejects.toThrow('non running container');
  });
});
