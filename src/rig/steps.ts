// How each kind of step is done. Nothing is judged here: what came of an
// expectation is recorded, and the script goes on.

import { RigError } from '../base/errors.ts';
import { collectInventories } from './collect.ts';
import { type Observation, observe } from './conditions.ts';
import { describeStep } from './describe.ts';
import { probeEtcdAbsent } from './probes.ts';
import type { ConsumerRule, Step, VolumeCall } from './scenario.ts';
import { type Names, type Stage, volumeOf } from './stage.ts';
import { startTraffic, type Traffic } from './traffic.ts';

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 25;
const IO_TIMEOUT_MS = 5_000;
const FILE_BYTES = 256 * 1024;

/** Where steps are done, and what they leave for later ones. */
export interface Scene {
  readonly stage: Stage;
  readonly names: Names;
  readonly traffic: Map<string, Traffic>;
}

type StepOf<Key extends string> = Extract<Step, { readonly [K in Key]: unknown }>;

/** Throws `machine` when the rig can't go on, `aborted` when it was told to stop. */
export async function act(scene: Scene, step: Step): Promise<void> {
  const { stage, names, traffic } = scene;
  if ('mark' in step) names.setMark(step.mark);
  else if ('call' in step) await call(scene, step);
  else if ('probe' in step) await probeEtcdAbsent({ ...stage, nodes: step.via, withinMs: step.withinMs });
  else if ('io' in step) await io(scene, step);
  else if ('fault' in step) await fault(scene, step);
  else if ('await' in step) await expect(scene, step, () => observe({ ...stage, names }, step.await));
  else if ('hold' in step) await stage.clock.sleep(step.hold, stage.signal);
  else if ('inventory' in step) await collectInventories({ ...stage, label: step.inventory });
  else if ('together' in step) await Promise.all(step.together.map((one) => act(scene, one)));
  else if ('traffic' in step) traffic.set(step.traffic, await begin(scene, step));
  else await traffic.get(step.endTraffic)?.end();
}

/** Looks until it holds or the bound is over, and records which. */
async function expect(
  { stage, names }: Scene,
  step: StepOf<'await'> | StepOf<'io'>,
  look: (attempt: number) => Promise<Observation>,
): Promise<void> {
  const { clock, journal, signal } = stage;
  const fromMs = step.since === undefined ? journal.atMs() : names.mark(step.since).atMs;
  const what = describeStep(step);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    let last: { readonly outcome: 'met' | 'missed' | 'unseen'; readonly seen: string };
    try {
      const { holds, seen } = await look(attempt);
      last = { outcome: holds ? 'met' : 'missed', seen };
    } catch (error) {
      const { code, message } = RigError.from(error);
      if (code === 'machine' || code === 'aborted') throw error;
      last = { outcome: 'unseen', seen: message };
    }
    const measuredMs = Math.round(journal.atMs() - fromMs);
    if (last.outcome === 'met' || measuredMs > step.withinMs) {
      // What the experiment itself needs, and did not get, says nothing about the system.
      const outcome = last.outcome === 'missed' && step.setup === true ? 'unseen' : last.outcome;
      journal.record({
        type: 'expectation',
        what,
        outcome,
        seen: last.seen,
        boundMs: step.withinMs,
        measuredMs,
      });
      return;
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

async function call({ stage, names }: Scene, step: StepOf<'call'>): Promise<void> {
  const request = await requestOf(stage, names, step.call);
  const answer = await stage.clients.http({ process: 'client', node: names.resolve(step.via), ...request });
  if ('create' in step.call && answer.status === 202) {
    names.setVolume(step.call.create, (answer.body as { id: string }).id);
  }
  stage.journal.record({
    type: 'expectation',
    what: describeStep(step),
    outcome: answer.status === step.status ? 'met' : 'missed',
    measuredMs: Math.round(answer.elapsedMs),
    ...(step.withinMs !== undefined && { boundMs: step.withinMs }),
    seen:
      answer.status === undefined
        ? (answer.error ?? 'no answer')
        : `${answer.status} ${JSON.stringify(answer.body)}`.slice(0, 200),
  });
}

interface Request {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

async function requestOf({ deployment }: Stage, names: Names, call: VolumeCall): Promise<Request> {
  const rules = (exports: readonly ConsumerRule[]) =>
    Promise.all(
      exports.map(async ({ consumer, access }) => ({ host: await deployment.address(consumer), access })),
    );
  if ('create' in call) {
    const requested = { reserved_size: call.sizeGib, constraints: call.constraints ?? {} };
    const body = { name: call.create, meta: {}, requested, exports: await rules(call.exports ?? []) };
    return { method: 'POST', path: '/volumes', body };
  }
  if ('resize' in call) {
    const body = { requested: { reserved_size: call.sizeGib, constraints: call.constraints ?? {} } };
    return { method: 'PUT', path: `/volumes/${names.idOf(call.resize)}`, body };
  }
  if ('reexport' in call) {
    const body = { exports: await rules(call.exports) };
    return { method: 'PUT', path: `/volumes/${names.idOf(call.reexport)}/exports`, body };
  }
  return { method: 'DELETE', path: `/volumes/${names.idOf(call.remove)}` };
}

/** The address that serves a volume, by what etcd said last. */
async function serverOf({ stage, names }: Scene, volume: string): Promise<string> {
  const node = volumeOf(stage.recorder, names.idOf(volume))?.node;
  if (node == null) throw new RigError('unavailable', `volume ${volume} is on no node now`);
  return stage.deployment.address(node);
}

function io(scene: Scene, step: StepOf<'io'>): Promise<void> {
  const { clients } = scene.stage;
  return expect(scene, step, async (attempt) => {
    const volume = scene.names.idOf(step.volume);
    // A write that is to be refused may be let in at first: then each try is a file of its own.
    const file = step.io === 'write' && step.outcome === 'refused' ? `${step.file}.${attempt}` : step.file;
    const answer = await clients.file({
      process: `${step.by} ${step.io} ${step.file}`,
      kind: `nfs-${step.io}`,
      consumer: step.by,
      server: await serverOf(scene, step.volume),
      volume,
      file,
      timeoutMs: IO_TIMEOUT_MS,
      ...(step.io === 'write' && { content: { name: `${step.by}/${volume}/${file}`, bytes: FILE_BYTES } }),
    });
    return {
      holds: answer.outcome === step.outcome,
      seen: `${answer.outcome} ${answer.detail ?? ''}`.trim(),
    };
  });
}

async function fault({ stage, names }: Scene, step: StepOf<'fault'>): Promise<void> {
  const { deployment, journal } = stage;
  const container = names.resolve(step.target);
  const hit = { fault: step.fault, container, ...(step.role !== undefined && { role: step.role }) };
  journal.record({ type: 'fault', phase: 'inject', ...hit });
  await deployment.act(step.fault, container, step.role && { role: step.role });
  journal.record({ type: 'fault', phase: 'injected', ...hit });
}

async function begin(scene: Scene, step: StepOf<'traffic'>): Promise<Traffic> {
  const { stage, names } = scene;
  const server = await serverOf(scene, step.volume);
  const volume = names.idOf(step.volume);
  return startTraffic({ ...stage, name: step.traffic, consumer: step.by, volume, server });
}
