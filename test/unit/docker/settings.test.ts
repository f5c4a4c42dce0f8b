import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../../src/cluster/settings.ts';

describe('readSettings', () => {
  it('takes the engine from the variables that the Docker CLI reads', () => {
    const { engine, socketInEngine } = readSettings({
      DOCKER_HOST: 'tcp://far:2376',
      DOCKER_CERT_PATH: '/certs',
    });
    expect(engine).toMatchObject({ host: 'tcp://far:2376', certPath: '/certs' });
    expect(socketInEngine).toBe('/var/run/docker.sock');
  });

  it('lets the socket be named where it is somewhere else in the engine', () => {
    const environment = { DOCKER_HOST: 'tcp://far:2376', COBALT_RIG_DOCKER_SOCKET: '/odd/docker.sock' };
    expect(readSettings(environment).socketInEngine).toBe('/odd/docker.sock');
  });
});
