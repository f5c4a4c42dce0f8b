// The runner of planted bugs, as people start it: two that are caught by a scenario which takes seconds.

import { expect, it } from '@jest/globals';
import { execa } from 'execa';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { RUN_LABEL } from '../../src/rig/compose/render.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { PLANTED_REPOSITORY } from '../planted/laboratory.ts';

const TRIALS_MS = 300_000;
/** By name, with the check that catches them. */
const BUGS = { 'ro-exported-as-rw': 'convergence', 'removed-host-still-exported': 'expectations' };

it(
  'shows that planted bugs are caught, and leaves no image of them',
  async () => {
    const docker = await connectEngine(readSettings().engine);
    const args = ['test/planted/main.ts', ...Object.keys(BUGS)];
    const { exitCode, stdout, stderr } = await execa(process.execPath, args, {
      cwd: ROOT_FOLDER,
      reject: false,
      timeout: TRIALS_MS,
    });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const [bug, check] of Object.entries(BUGS)) {
      expect(stdout).toMatch(new RegExp(`^ +${bug} +${check} +export-modified `, 'm'));
    }
    expect(stdout).toMatch(/^ +\(clean\) +valid /m);
    const id = /^runs: .*planted-([0-9a-f]+)$/m.exec(stdout)?.[1];
    expect(id).toBeDefined();
    const reference = [`${PLANTED_REPOSITORY}:${id}-*`];
    expect(await docker.listImages({ filters: { reference } })).toEqual([]);
    // What others take for the system as it is.
    const { Config } = await docker.getImage('cobalt-rig/node:latest').inspect();
    expect(Config.Labels).not.toHaveProperty([RUN_LABEL]);
  },
  TRIALS_MS + 60_000,
);
