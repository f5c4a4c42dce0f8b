// A planted bug as its patch tells of it: above the diff stands what is wrong, which check has to say so, and in
// which run. Pure.
//
//   An engine writes without its fence.
//
//   Caught-by: fencing
//   Run: engine-leader-down --seed 1
//   --- a/src/daemon/engine/apply.ts
//   +++ b/src/daemon/engine/apply.ts
//   @@ …

import { applyPatch, parsePatch, type StructuredPatch } from 'diff';
import { RigError } from '../../src/base/errors.ts';
import { CHECK_NAMES, type CheckName } from '../../src/rig/checks/catalogue.ts';
import type { Scenario } from '../../src/rig/scenario.ts';
import { scenariosNamed } from '../../src/rig/scenarios/catalogue.ts';

export interface PlantedBug {
  readonly name: string;
  /** What is wrong, in a sentence or two. */
  readonly wrong: string;
  readonly caughtBy: CheckName;
  /** What is given to `rig run`. */
  readonly run: string;
  readonly patches: readonly StructuredPatch[];
}

export interface PlantedRun {
  readonly scenario: Scenario;
  readonly seed: number;
}

/** Of the copy that it is planted in, and nothing else. */
const PATCHED = /^b\/(?:src|images)(?:\/(?!\.\.?\/)[^/]+)+$/;

const RUN = /^(?<scenario>[a-z0-9-]+) --seed (?<seed>[0-9]+)(?: --duration (?<seconds>[0-9]+)s)?$/;

/** Throws `invalid` for what lacks a field, or names a check or a scenario that there isn't. */
export function parseBug(name: string, text: string): PlantedBug {
  const at = text.search(/^--- /m);
  const [prose = '', ...rest] = text.slice(0, Math.max(0, at)).split(/^(?=Caught-by: )/m);
  const fields = rest.join('');
  const field = (key: string): string => {
    const value = new RegExp(`^${key}: (.+)$`, 'm').exec(fields)?.[1];
    if (value === undefined) throw malformed(name, `it has no line '${key}: …' above its diff`);
    return value.trim();
  };
  const caughtBy = CHECK_NAMES.find((check) => check === field('Caught-by'));
  if (caughtBy === undefined) throw malformed(name, `there is no check '${field('Caught-by')}'`);
  const run = field('Run');
  if (!plantedRun(run).scenario.checks.includes(caughtBy)) {
    throw malformed(name, `'${run}' is not judged by ${caughtBy}`);
  }
  const wrong = prose.trim().replaceAll(/\s+/g, ' ');
  if (wrong === '') throw malformed(name, 'it does not say what is wrong');
  const patches = parsePatch(text.slice(at));
  const stray = patches.find(({ newFileName = '' }) => !PATCHED.test(newFileName));
  if (stray !== undefined)
    throw malformed(name, `'${stray.newFileName}' is no file that an image is made of`);
  return { name, wrong, caughtBy, run, patches };
}

/** Throws `invalid` for what `rig run` would not take. */
export function plantedRun(text: string): PlantedRun {
  const { scenario: named, seed, seconds } = RUN.exec(text)?.groups ?? {};
  if (named === undefined) {
    throw new RigError('invalid', `'${text}' is no run`, {
      next: 'Write <scenario> --seed <number>, of chaos with --duration <seconds>s behind it.',
    });
  }
  const drawnFrom = { seed: Number(seed), ...(seconds && { durationMs: Number(seconds) * 1000 }) };
  const [scenario] = scenariosNamed([named], drawnFrom);
  if (scenario === undefined) throw new RigError('internal', `there is no scenario ${named}`);
  return { scenario, seed: Number(seed) };
}

/** The files that the bug changes, as they are with it. Throws `invalid` where its patch doesn't apply exactly. */
export function withBug(
  { name, patches }: Pick<PlantedBug, 'name' | 'patches'>,
  read: (path: string) => string,
): ReadonlyMap<string, string> {
  return new Map(
    patches.map((patch) => {
      const path = patch.newFileName?.replace(/^b\//, '') ?? '';
      const patched = applyPatch(read(path), patch);
      if (patched === false) throw malformed(name, `it does not apply to ${path} any more`);
      return [path, patched];
    }),
  );
}

function malformed(name: string, what: string): RigError {
  return new RigError('invalid', `test/planted/${name}.patch: ${what}`);
}
