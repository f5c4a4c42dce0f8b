import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../src/base/clock.ts';
import { createLog } from '../../../src/base/log.ts';
import { createSeededRandom } from '../../../src/base/random.ts';
import { createFleet } from '../../../src/fleet/fleet.ts';
import { openLogFiles } from '../../../src/fleet/log-files.ts';
import { createNoise } from '../../../src/fleet/noise.ts';
import { profileSchema } from '../../../src/fleet/profiles.ts';
import { openFleet } from './support.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-logs-'));
});

afterEach(() => rm(folder, { recursive: true }));

describe('the logs of a fleet', () => {
  it('are a file a node, complete at the end', async () => {
    {
      await using files = openLogFiles({ folder, clock: createSystemClock(), level: 'info' });
      files.log.info('one', { node: 'a' });
      files.log.debug('two', { node: 'a' });
      files.log.warn('three', { node: 'b', cause: new Error('why') });
      files.log.error('four', { node: 'a' });
      files.log.info('five');
    }
    expect((await readdir(folder)).sort()).toEqual(['a.log', 'b.log', 'fleet.log']);
    const lines = (await readFile(join(folder, 'a.log'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'info', event: 'one', node: 'a' },
      { level: 'error', event: 'four', node: 'a' },
    ]);
    expect(await readFile(join(folder, 'b.log'), 'utf8')).toContain('Error: why');
  });

  it('have lines that mean nothing at the rate of the profile, while the node is on', async () => {
    const test = await openFleet();
    const fleet = createFleet();
    const lines: string[] = [];
    const [a, b, quiet] = [test.node('a'), test.node('b'), test.node('quiet')];
    for (const node of [a, b, quiet]) fleet.add(node);
    const noise = createNoise({
      fleet,
      log: createLog({ write: (line) => void lines.push(line), nowMs: test.clock.nowMs }),
      random: createSeededRandom(1),
      profileOf: (name) =>
        profileSchema.parse({ capacityGib: 1, logLinesPerSecond: name === 'quiet' ? 0 : 2.5 }),
    });
    a.powerOn();
    quiet.powerOn();
    for (let tick = 0; tick < 2000; tick += 1) noise.tick(500);
    expect(lines.every((line) => line.includes('"node":"a"'))).toBe(true);
    expect(lines.length).toBeGreaterThan(2400);
    expect(lines.length).toBeLessThan(2600);
    test.end();
  });
});
