// Performs a scenario's script, a step at a time, and records what came of it.
// It judges nothing: an expectation that is missed is recorded, and the script goes on.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Clients } from './clients.ts';
import { collectInventories } from './collect.ts';
import { leaderOf, type Mark, type Observer, observe } from './conditions.ts';
import type { Deployment } from './deployment.ts';
import { describeStep } from './describe.ts';
import type { Journal } from './journal.ts';
import { probeEtcdAbsent } from './probes.ts';
import type { Recorder } from './recorder.ts';
import type { ConsumerRule, Scenario, Step, VolumeCall } from './scenario.ts';
import { startTraffic, type Traffic } from './traffic.ts';

/** How often a condition is looked at. */
const LOOK_EVERY_MS = 25;
const IO_TIMEOUT_MS = 5_000;
const FILE_BYTES = 256 * 1024;

export interface Stage {
  readonly clock: Clock;
  readonly random: Random;
  readonly deployment: Deployment;
  readonly recorder: Recorder;
  readonly journal: Journal;
  readonly clients: Clients;
  readonly signal: AbortSignal;
  /** Told before each step what it is. */
  readonly onStep: (description: string) => void;
}

type StepOf<Key extends string> = Extract<Step, { readonly [K in Key]: unknown }>;

/** Throws `machine` when the rig itself can't go on, `aborted` when it was told to stop. */
export async function perform(stage: Stage, scenario: Scenario): Promise<void> {
  const actors = createActors(stage);
  try {
    for (const step of scenario.script) {
      stage.signal.throwIfAborted();
      stage.onStep(describeStep(step));
      await actors.act(step);
    }
  } finally {
    await actors.endAll();
  }
}

function createActors(stage: Stage) {
  const { clock, deployment, recorder, journal, clients } = stage;
  const volumes = new Map<string, string>();
  const marks = new Map<string, Mark>();
  const traffic = new Map<string, Traffic>();

  const markNow = (): Mark => ({ atMs: journal.atMs(), wallMs: clock.nowMs(), leader: leaderOf(recorder) });
  const observer: Observer = {
    deployment,
    recorder,
    idOf: (name) => volumes.get(name) ?? `(${name} was never created)`,
    mark: (name) => {
      const mark = marks.get(name);
      if (mark === undefined) throw new RigError('invalid', `the script has no mark '${name}' by then`);
      return mark;
    },
    resolve: (target) => {
      const [name, mark] = target.split('@');
      if (name !== 'leader') return target;
      const node = mark === undefined ? leaderOf(recorder) : observer.mark(mark).leader;
      if (node !== undefined) return node;
      throw new RigError('machine', `nobody leads, so there is no ${target} to act on`);
    },
  };

  const startOf = (since: string | undefined): number =>
    since === undefined ? journal.atMs() : observer.mark(since).atMs;

  /** Looks until it holds or the bound is over, and records which. */
  const expect = async (
    what: string,
    bound: { readonly withinMs: number; readonly since?: string | undefined },
    look: () => Promise<{ readonly holds: boolean; readonly seen: string }>,
  ): Promise<void> => {
    const fromMs = startOf(bound.since);
    let last = { outcome: 'unseen' as 'met' | 'missed' | 'unseen', seen: 'nothing yet' };
    for (;;) {
      stage.signal.throwIfAborted();
      try {
        const { holds, seen } = await look();
        last = { outcome: holds ? 'met' : 'missed', seen };
      } catch (error) {
        last = { outcome: 'unseen', seen: String(error) };
      }
      const measuredMs = Math.round(journal.atMs() - fromMs);
      if (last.outcome === 'met' || measuredMs > bound.withinMs) {
        journal.record({ type: 'expectation', what, ...last, boundMs: bound.withinMs, measuredMs });
        return;
      }
      await clock.sleep(LOOK_EVERY_MS, stage.signal);
    }
  };

  const rules = async (exports: readonly ConsumerRule[]) =>
    Promise.all(
      exports.map(async ({ consumer, access }) => ({ host: await deployment.address(consumer), access })),
    );

  const request = async (
    call: VolumeCall,
  ): Promise<{ method: 'POST' | 'PUT' | 'DELETE'; path: string; body?: unknown }> => {
    if ('create' in call) {
      const requested = { reserved_size: call.sizeGib, constraints: call.constraints ?? {} };
      const body = { name: call.create, meta: {}, requested, exports: await rules(call.exports ?? []) };
      return { method: 'POST', path: '/volumes', body };
    }
    if ('resize' in call) {
      const body = { requested: { reserved_size: call.sizeGib, constraints: call.constraints ?? {} } };
      return { method: 'PUT', path: `/volumes/${observer.idOf(call.resize)}`, body };
    }
    if ('reexport' in call) {
      const body = { exports: await rules(call.exports) };
      return { method: 'PUT', path: `/volumes/${observer.idOf(call.reexport)}/exports`, body };
    }
    return { method: 'DELETE', path: `/volumes/${observer.idOf(call.remove)}` };
  };

  const call = async (step: StepOf<'call'>): Promise<void> => {
    const answer = await clients.http({
      process: 'client',
      node: observer.resolve(step.via),
      ...(await request(step.call)),
    });
    if ('create' in step.call && answer.status === 202) {
      volumes.set(step.call.create, (answer.body as { id: string }).id);
    }
    const met = answer.status === step.status;
    journal.record({
      type: 'expectation',
      what: describeStep(step),
      outcome: met ? 'met' : 'missed',
      measuredMs: Math.round(answer.elapsedMs),
      ...(step.withinMs !== undefined && { boundMs: step.withinMs }),
      seen:
        answer.status === undefined
          ? (answer.error ?? 'no answer')
          : `${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`,
    });
  };

  /** The node that serves a volume, as etcd says. */
  const serverOf = async (volume: string): Promise<string> => {
    const value = recorder.current(`/cobalt/v1/volumes/${observer.idOf(volume)}`);
    const node = value === undefined ? null : (JSON.parse(value) as { node: string | null }).node;
    if (node === null) throw new RigError('unavailable', `volume ${volume} is on no node now`);
    return deployment.address(node);
  };

  const io = (step: StepOf<'io'>): Promise<void> =>
    expect(describeStep(step), step, async () => {
      const volume = observer.idOf(step.volume);
      const answer = await clients.file({
        process: step.by,
        kind: `nfs-${step.io}`,
        consumer: step.by,
        server: await serverOf(step.volume),
        volume,
        file: step.file,
        timeoutMs: IO_TIMEOUT_MS,
        ...(step.io === 'write' && {
          content: { name: `${step.by}/${volume}/${step.file}`, bytes: FILE_BYTES },
        }),
      });
      return {
        holds: answer.outcome === step.outcome,
        seen: `${answer.outcome} ${answer.detail ?? ''}`.trim(),
      };
    });

  const fault = async (step: StepOf<'fault'>): Promise<void> => {
    const container = observer.resolve(step.target);
    const hit = { fault: step.fault, container, ...(step.role !== undefined && { role: step.role }) };
    journal.record({ type: 'fault', phase: 'inject', ...hit });
    await deployment.act(step.fault, container, step.role && { role: step.role });
    journal.record({ type: 'fault', phase: 'injected', ...hit });
  };

  const act = async (step: Step): Promise<void> => {
    if ('mark' in step) marks.set(step.mark, markNow());
    else if ('call' in step) await call(step);
    else if ('probe' in step)
      await probeEtcdAbsent({ clients, journal, nodes: step.via, withinMs: step.withinMs });
    else if ('io' in step) await io(step);
    else if ('fault' in step) await fault(step);
    else if ('await' in step) await expect(describeStep(step), step, () => observe(observer, step.await));
    else if ('hold' in step) await clock.sleep(step.hold, stage.signal);
    else if ('inventory' in step) await collectInventories({ deployment, journal, label: step.inventory });
    else if ('traffic' in step) {
      const options = { ...stage, name: step.traffic, consumer: step.by, volume: observer.idOf(step.volume) };
      traffic.set(step.traffic, startTraffic({ ...options, server: await serverOf(step.volume) }));
    } else await traffic.get(step.endTraffic)?.end();
  };

  return {
    act,
    endAll: async () => {
      for (const one of traffic.values()) await one.end();
    },
  };
}
