import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { connectEngine, createEngine, engineHost, socketInEngine } from '../../../src/rig/docker/engine.ts';

const configPath = mkdtempSync(join(tmpdir(), 'docker-config-'));
afterAll(() => rmSync(configPath, { recursive: true }));

function writeContext(name: string, host: string): void {
  const folder = join(configPath, 'contexts/meta', createHash('sha256').update(name).digest('hex'));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: host } } }));
}

describe('engineHost', () => {
  it('prefers the host, then the named context, then the current one', () => {
    writeContext('colima', 'unix:///colima.sock');
    writeContext('far', 'tcp://far:2375');
    writeFileSync(join(configPath, 'config.json'), JSON.stringify({ currentContext: 'colima' }));
    expect(engineHost({ configPath, context: 'far', host: 'unix:///mine.sock' })).toBe('unix:///mine.sock');
    expect(engineHost({ configPath, context: 'far' })).toBe('tcp://far:2375');
    expect(engineHost({ configPath })).toBe('unix:///colima.sock');
    expect(engineHost({ configPath: '/nowhere' })).toMatch(/docker/);
  });

  it('reads a bare address as TCP, as the Docker CLI does', () => {
    expect(engineHost({ host: 'far:2375' })).toBe('tcp://far:2375');
  });

  it('says which context has no address', () => {
    expect(() => engineHost({ configPath, context: 'lost' })).toThrow(
      'the Docker context `lost` has no address',
    );
  });
});

describe('createEngine', () => {
  it('refuses what is no address', () => {
    expect(() => createEngine({ host: 'carrier-pigeon://x' })).toThrow('is not an address');
  });
});

describe('connectEngine', () => {
  it('fails with one clear line and what to do when nothing answers', async () => {
    await expect(connectEngine({ host: 'unix:///nowhere/docker.sock' })).rejects.toMatchObject({
      code: 'machine',
      message: expect.stringContaining('no Docker Engine answers at unix:///nowhere/docker.sock'),
      next: expect.stringContaining('DOCKER_HOST'),
    });
  });
});

describe('socketInEngine', () => {
  it("is the engine's own socket on Linux, and the usual place wherever the engine is elsewhere", () => {
    const rootless = 'unix:///run/user/1000/docker.sock';
    const isLinux = process.platform === 'linux';
    expect(socketInEngine(rootless)).toBe(isLinux ? '/run/user/1000/docker.sock' : '/var/run/docker.sock');
    expect(socketInEngine('tcp://far:2375')).toBe('/var/run/docker.sock');
    expect(socketInEngine('unix:///home/me/.docker/desktop/docker.sock')).toBe('/var/run/docker.sock');
  });
});
