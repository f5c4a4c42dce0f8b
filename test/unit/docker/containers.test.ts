import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type Docker from 'dockerode';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createContainers, execIn } from '../../../src/rig/docker/containers.ts';

/** A container in which a command says something, and whether it ends. */
function container(stream: PassThrough) {
  const docker = { modem: { demuxStream: (from: PassThrough, out: PassThrough) => from.pipe(out) } };
  const exec = { start: async () => stream, inspect: async () => ({ ExitCode: 0 }) };
  const found = [docker, { exec: async () => exec }] as unknown;
  return found as [Parameters<typeof execIn>[0], Parameters<typeof execIn>[1]];
}

describe('a command in a container', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('answers with what it said', async () => {
    const stream = new PassThrough();
    stream.end('hello');
    const result = await execIn(...container(stream), 'node1', ['true']);
    expect(result).toEqual({ exitCode: 0, stdout: 'hello', stderr: '' });
  });

  it('that never ends is given up, and its connection with it', async () => {
    const stream = new PassThrough();
    const running = execIn(...container(stream), 'node1', ['sleep']);
    const failed = expect(running).rejects.toThrow('cannot run sleep in node1: no answer within 120000 ms');
    await jest.advanceTimersByTimeAsync(120_000);
    await failed;
    expect(stream.destroyed).toBe(true);
  });
});

/** An engine with one service, of which there is one container at a time. */
function fakeEngine() {
  let id: string | undefined = 'first';
  const docker = {
    listContainers: async () =>
      id === undefined ? [] : [{ Id: id, Labels: { 'com.docker.compose.service': 'node1' } }],
    getContainer: (asked: string) => ({
      inspect: async () => {
        if (asked !== id) throw Object.assign(new Error(`no such container: ${asked}`), { statusCode: 404 });
        return { Id: id, State: { Running: true } };
      },
    }),
  } as unknown as Docker;
  return {
    containers: createContainers(docker, createSystemClock(), 'project'),
    becomes: (next: string | undefined) => {
      id = next;
    },
  };
}

it('finds a container that somebody else has made anew', async () => {
  const { containers, becomes } = fakeEngine();
  expect(await containers.inspect('node1')).toMatchObject({ Id: 'first' });
  becomes('second');
  expect(await containers.inspect('node1')).toMatchObject({ Id: 'second' });
  expect(await containers.state('node1')).toBe('running');
});

it('tells of one that is gone', async () => {
  const { containers, becomes } = fakeEngine();
  await containers.inspect('node1');
  becomes(undefined);
  await expect(containers.inspect('node1')).rejects.toMatchObject({ code: 'not_found' });
  expect(await containers.state('node1')).toBe('absent');
});
