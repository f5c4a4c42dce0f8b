import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { composeVersion, requireCompose } from '../../../src/rig/docker/install-compose.ts';

const path = process.env.PATH;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-docker-cli-'));
  process.env.PATH = folder;
});

afterEach(() => {
  process.env.PATH = path;
  rmSync(folder, { recursive: true, force: true });
});

/** The only docker command on the PATH. */
function dockerThat(script: string): void {
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'docker'), 0o755);
}

describe('requireCompose', () => {
  it('tells apart a docker command that is missing from one without the plugin', async () => {
    await expect(requireCompose()).rejects.toMatchObject({
      code: 'machine',
      message: 'the docker command was not found',
      next: expect.stringContaining('scripts/setup'),
    });
    for (const words of [
      "docker: 'compose' is not a docker command.\\nSee 'docker --help'",
      'docker: unknown command: docker compose',
      'unknown flag: --short',
    ]) {
      dockerThat(`printf "${words}" >&2; exit 1`);
      await expect(requireCompose()).rejects.toMatchObject({
        code: 'machine',
        message: 'Docker has no Compose plugin',
      });
    }
  });

  it('refuses version 1, and takes any later one, with and without a v', async () => {
    dockerThat('echo 1.29.2');
    await expect(requireCompose()).rejects.toThrow('Docker Compose is version 1.29.2');
    dockerThat('echo v2.26.1-4');
    expect(await composeVersion()).toBe('2.26.1-4');
    dockerThat('echo 10.0.0');
    expect(await composeVersion()).toBe('10.0.0');
  });
});
