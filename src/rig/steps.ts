// How each kind of step is done. Nothing is judged here: what came of an
// expectation is recorded, and the script goes on.

import { RigError } from '../base/errors.ts';
import { startApplication } from './application.ts';
import { deadline } from './checks/work-clock.ts';
import { answerText, HTTP_TIMEOUT_MS } from './clients.ts';
import { collectInventories } from './collect.ts';
import { observe } from './conditions.ts';
import { describeStep } from './describe.ts';
import { serverOf, tryFile } from './files.ts';
import { startFollower } from './follower.ts';
import type { Observation } from './observation.ts';
import { probeEtcdAbsent } from './probes.ts';
import { tellsReason } from './reasons.ts';
import { orderedBy, requestOf } from './requests.ts';
import { startWorkload } from './run-workload.ts';
import type { Step } from './scenario.ts';
import type { Scene } from './scene.ts';
import { actOnRecord, addOnRecord } from './site.ts';
import { volumeOf } from './stage.ts';
import { presentNodes } from './topology.ts';
import { startTraffic, type Traffic } from './traffic.ts';

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 25;

/** An API may be starting, and asked in turn with the others. */
const FOLLOWS_WITHIN_MS = 15_000;

type StepOf<Key extends string> = Extract<Step, { readonly [K in Key]: unknown }>;

/** Throws `machine` when the rig can't go on, `aborted` when it was told to stop. */
export async function act(scene: Scene, step: Step): Promise<void> {
  const { stage, names, nemesis, traffic, followers, kernel } = scene;
  if ('mark' in step) names.setMark(step.mark);
  else if ('call' in step) await call(scene, step);
  else if ('probe' in step) await probeEtcdAbsent({ ...stage, nodes: step.via, withinMs: step.withinMs });
  else if ('io' in step) await expect(scene, step, (attempt) => tryFile(scene, step, attempt));
  else if ('follow' in step) await follow(scene, step);
  else if ('join' in step) await addOnRecord(stage, step.join);
  else if ('fault' in step) await fault(scene, step);
  else if ('inject' in step) await nemesis.inject(step.as, step.inject, step);
  else if ('heal' in step) await nemesis.heal(step.heal);
  else if ('await' in step)
    await expect(scene, step, () => observe({ ...stage, names, followers, kernel }, step.await));
  else if ('hold' in step) await hold(scene, step);
  else if ('inventory' in step) await collectInventories({ ...stage, label: step.inventory });
  else if ('together' in step) await allOf(step.together.map((one) => act(scene, one)));
  else if ('inOrder' in step) for (const one of step.inOrder) await act(scene, one);
  else if ('workload' in step) traffic.set(step.as, await beginWork(scene, step));
  else if ('mount' in step) await mount(scene, step);
  else if ('openFile' in step) beginApplication(scene, step);
  else if ('traffic' in step) traffic.set(step.traffic, begin(scene, step));
  else await traffic.get(step.endTraffic)?.end();
}

/** None is left at work when one has failed. */
export async function allOf(acts: readonly Promise<void>[]): Promise<void> {
  await Promise.allSettled(acts);
  await Promise.all(acts);
}

async function hold({ stage, names }: Scene, { hold, since }: StepOf<'hold'>): Promise<void> {
  const passedMs = since === undefined ? 0 : stage.journal.atMs() - names.mark(since).atMs;
  if (hold > passedMs) await stage.clock.sleep(hold - passedMs, stage.signal);
}

/** Looks until it holds or the bound is over by the work clock, and records which. */
async function expect(
  { stage, names }: Scene,
  step: Step & Pick<StepOf<'await'>, 'withinMs' | 'since' | 'setup'>,
  look: (attempt: number) => Promise<Observation>,
): Promise<void> {
  const { clock, journal, signal } = stage;
  const fromMs = step.since === undefined ? journal.atMs() : names.mark(step.since).atMs;
  const isOver = deadline(journal, step.withinMs, fromMs);
  const what = describeStep(step);
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    let last: { readonly outcome: 'met' | 'missed' | 'unseen'; readonly seen: string };
    let isFinal = false;
    try {
      const observation = await look(attempt);
      isFinal = observation.isFinal === true;
      last = { outcome: observation.holds ? 'met' : 'missed', seen: observation.seen };
    } catch (error) {
      const { code, message } = RigError.from(error);
      if (code === 'machine' || code === 'aborted') throw error;
      last = { outcome: 'unseen', seen: message };
    }
    const measuredMs = Math.round(journal.atMs() - fromMs);
    if (last.outcome === 'met' || isFinal || isOver()) {
      // What the experiment itself needs, and did not get, says nothing about the system.
      const outcome = last.outcome === 'missed' && step.setup === true ? 'unseen' : last.outcome;
      journal.record({
        type: 'expectation',
        what,
        outcome,
        seen: last.seen,
        // Nor does how long that took.
        ...((outcome !== 'met' || step.setup !== true) && { boundMs: step.withinMs }),
        measuredMs,
        ...(isFinal && { isFinal }),
      });
      return;
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** A client waits twice as long: even a quiet machine doesn't leave it all of that for work. */
const UNANSWERED_MS = HTTP_TIMEOUT_MS / 2;

async function call({ stage, names }: Scene, step: StepOf<'call'>): Promise<void> {
  const meanings = { idOf: names.idOf, address: stage.deployment.address };
  const request = await requestOf(step.call, meanings);
  const answer = await stage.clients.http({ process: 'client', node: names.resolve(step.via), ...request });
  const ordered = orderedBy(step.call);
  if (ordered !== undefined && answer.status === 202) {
    names.setVolume(ordered, (answer.body as { id: string }).id);
  }
  const tells = step.because === undefined || tellsReason(answer.body, step.because, meanings);
  const boundMs = step.withinMs ?? (answer.status === undefined ? UNANSWERED_MS : undefined);
  stage.journal.record({
    type: 'expectation',
    what: describeStep(step),
    outcome: answer.status === step.status && tells ? 'met' : 'missed',
    measuredMs: Math.round(answer.elapsedMs),
    ...(boundMs !== undefined && { boundMs }),
    // An answer is not taken back.
    ...(answer.status !== undefined && { isFinal: true }),
    seen: answerText(answer),
  });
}

async function fault({ stage, names }: Scene, step: StepOf<'fault'>): Promise<void> {
  await actOnRecord(stage, step.fault, names.resolve(step.target), step.role && { role: step.role });
}

async function follow(scene: Scene, step: StepOf<'follow'>): Promise<void> {
  const { stage, followers } = scene;
  const { deployment } = stage;
  const others = presentNodes(deployment.topology).map(({ name }) => name);
  const follower = startFollower({
    ...stage,
    consumer: step.follow,
    address: await deployment.address(step.follow),
    nodes: [step.via, ...others.filter((name) => name !== step.via)],
  });
  followers.set(step.follow, follower);
  let opened: boolean | Error = false;
  follower.opened.then(
    () => (opened = true),
    (error: unknown) => (opened = RigError.from(error)),
  );
  // What the experiment itself needs: nobody was told anything yet.
  await expect(scene, { ...step, withinMs: FOLLOWS_WITHIN_MS, setup: true }, async () => {
    if (opened instanceof Error) throw opened;
    return { holds: opened, seen: opened ? 'its stream is open' : 'no API opens a stream' };
  });
}

async function beginWork({ stage, followers }: Scene, step: StepOf<'workload'>): Promise<Traffic> {
  const { deployment } = stage;
  const { topology } = deployment;
  const consumers = topology.consumers.map(async (name) => [name, await deployment.address(name)] as const);
  return startWorkload({
    ...stage,
    name: step.as,
    workload: step.workload,
    seed: step.seed ?? stage.random.uint32(),
    nodes: presentNodes(topology),
    consumers: new Map(await Promise.all(consumers)),
    serverOf: (consumer, { id, node }) =>
      node === null ? null : (followers.get(consumer)?.serverOf(id, node) ?? null),
  });
}

async function mount(scene: Scene, step: StepOf<'mount'>): Promise<void> {
  const { kernel, names, stage } = scene;
  const volume = names.idOf(step.mount);
  const server = volumeOf(stage.recorder, volume)?.node;
  if (server == null) throw new RigError('not_found', `volume ${step.mount} is on no node now`);
  const startedMs = stage.journal.atMs();
  const found = await kernel.mount({ consumer: step.by, volume, server });
  // Where it can't be had nothing is expected of it.
  if (found === undefined) return;
  stage.journal.record({
    type: 'expectation',
    what: describeStep(step),
    // What the experiment itself needs, and did not get, says nothing about the system.
    outcome: found.holds ? 'met' : 'unseen',
    measuredMs: Math.round(stage.journal.atMs() - startedMs),
    seen: found.seen,
  });
}

function beginApplication({ stage, names, kernel, traffic }: Scene, step: StepOf<'openFile'>): void {
  const mounted = { consumer: step.by, volume: names.idOf(step.volume) };
  if (kernel.serverOf(mounted) === undefined) return;
  const application = startApplication({
    ...stage,
    ...mounted,
    name: step.traffic,
    file: step.openFile,
    reading: step.reading,
    server: () => kernel.serverOf(mounted),
  });
  traffic.set(step.traffic, application);
}

function begin(scene: Scene, step: Exclude<StepOf<'traffic'>, { readonly openFile: string }>): Traffic {
  const volume = scene.names.idOf(step.volume);
  const server = (): string | null => step.at ?? serverOf(scene, step);
  const reading = step.reading === undefined ? {} : { reading: step.reading };
  return startTraffic({ ...scene.stage, name: step.traffic, consumer: step.by, volume, server, ...reading });
}
