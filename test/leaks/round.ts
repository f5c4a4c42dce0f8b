// One round: some rigs are killed while another one works beside them. Afterwards the machine
// is as it was before, and the other one has noticed nothing.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Clock } from '../../src/base/clock.ts';
import { hex, type Random } from '../../src/base/random.ts';
import { waitFor } from '../../src/base/retry.ts';
import { ROOT_FOLDER } from '../../src/cluster/root.ts';
import { readSettings } from '../../src/cluster/settings.ts';
import { connectEngine } from '../../src/rig/docker/engine.ts';
import { listRuns } from '../../src/rig/docker/orphans.ts';
import { changesOf, type Owner, readMachine } from './machine.ts';
import { drawFate, startVictim, type Victim } from './victim.ts';

/** What a reaper has: ten seconds for its rig to come back, and the removal. */
const GONE_WITHIN_MS = 30_000;
/** Beside the killed ones a cluster takes longer. */
const BYSTANDER_WITHIN_MS = 180_000;

export interface Death {
  readonly command: string;
  /** Undefined if it had ended before. */
  readonly killedAfterMs: number | undefined;
  readonly withItsGroup: boolean;
  /** What it had said last. */
  readonly during: string;
  /** From its death until nothing of its runs was left; undefined if something was. */
  readonly goneAfterMs: number | undefined;
}

export interface Round {
  readonly deaths: readonly Death[];
  /** Of the rig beside: 0 for valid, 2 for unknown. */
  readonly bystanderExit: number;
  /** The last of what it said. */
  readonly bystanderSaid: string;
  /** What is on the machine that was not before, or the other way round. */
  readonly changes: readonly string[];
}

export async function playRound(options: {
  readonly clock: Clock;
  readonly random: Random;
  readonly victims: number;
}): Promise<Round> {
  const { clock, random, victims: count } = options;
  const folder = mkdtempSync(join(tmpdir(), 'cobalt-rig-leaks-'));
  const mark = `leak-${hex(random, 8)}`;
  try {
    const before = await readMachine({ marks: [mark], temporaryFolders: [] });
    const victims = Array.from({ length: count }, (_, index) =>
      startVictim(drawFate(random, `${mark}-${index}`), {
        folder: mkdtempSync(join(folder, 'victim-')),
        mark,
      }),
    );
    const bystander = execa(
      process.execPath,
      [
        join(ROOT_FOLDER, 'src/cli/main.ts'),
        'run',
        'engine-leader-down',
        '--seed',
        '1',
        '--out',
        join(folder, 'beside'),
      ],
      { reject: false, all: true, timeout: BYSTANDER_WITHIN_MS },
    );
    const deaths = await Promise.all(victims.map((victim) => die(victim, clock)));
    const { exitCode = 3, all = '' } = await bystander;
    const owner: Owner = {
      marks: [mark, ...victims.flatMap((victim) => victim.runIds())],
      temporaryFolders: victims.map(({ temporaryFolder }) => temporaryFolder),
    };
    const changes = await settled(clock, async () => changesOf(before, await readMachine(owner)));
    return { deaths, bystanderExit: exitCode, bystanderSaid: all.slice(-2_000), changes };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function die(victim: Victim, clock: Clock): Promise<Death> {
  const { command, killedAfterMs, withItsGroup } = victim.fate;
  await clock.sleep(killedAfterMs);
  victim.kill();
  const isByItself = await victim.ended;
  await victim.removeKept();
  const diedAtMs = clock.monotonicMs();
  const docker = await connectEngine(readSettings().engine);
  const own = new Set([...victim.runIds(), ...(command[0] === 'up' ? [`up-${command.at(-1)}`] : [])]);
  const left = await settled(clock, async () =>
    (await listRuns(docker)).filter(({ runId }) => own.has(runId)).flatMap(({ things }) => things),
  );
  return {
    command: command.join(' '),
    killedAfterMs: isByItself ? undefined : killedAfterMs,
    withItsGroup,
    during: victim.lastLine(),
    goneAfterMs: left.length === 0 ? clock.monotonicMs() - diedAtMs : undefined,
  };
}

/** What it finds once that is nothing, or what it found last. */
async function settled(clock: Clock, find: () => Promise<readonly string[]>): Promise<readonly string[]> {
  let found: readonly string[] = [];
  try {
    await waitFor({
      clock,
      what: 'nothing to be left',
      timeoutMs: GONE_WITHIN_MS,
      intervalMs: 250,
      probe: async () => {
        found = await find();
        return found.length === 0 ? true : undefined;
      },
    });
  } catch (error) {
    if (found.length === 0) throw error;
  }
  return found;
}
