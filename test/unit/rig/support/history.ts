// Builds recorded runs by hand: a cursor in time, and a verb for everything
// that a rig records. Nothing here knows what a check wants to see.

import type { LogFields, LogLevel } from '../../../../src/base/log.ts';
import { gibToBytes } from '../../../../src/base/units.ts';
import { LEADER_KEY, nodeKey, specKey, VOLUMES_PREFIX, volumeKey } from '../../../../src/kv/keys.ts';
import type { Author } from '../../../../src/model/changes.ts';
import type { Role, Volume } from '../../../../src/model/volume.ts';
import type {
  EtcdEvent,
  ExpectationEvent,
  HistoryEvent,
  Inventory,
  NodeLogLine,
  Operation,
  RecordedRun,
} from '../../../../src/rig/history.ts';
import { parseTopology, type TopologyInput } from '../../../../src/rig/topology.ts';
import { QUIET } from '../../../support/site.ts';

export const VOLUME_ID = 'v00000000000000a1';
export const OTHER_ID = 'v00000000000000b2';

const TOPOLOGY: TopologyInput = {
  nodes: [
    { name: 'node1', labels: { zone: 'a' } },
    { name: 'node2', labels: { zone: 'b' } },
  ],
  consumers: ['consumer1', 'consumer2'],
};

/** Address of consumerN; what an export names. */
export const CONSUMERS = { consumer1: '10.0.0.11', consumer2: '10.0.0.12' };

/** Who writes a volume; the term is an engine's. */
export const by = (role: Role, node: string, term: number | null = null): Author => ({
  writer: { role, node, term },
  nowMs: 0,
});

interface FileCall {
  readonly kind: 'nfs-write' | 'nfs-read';
  readonly uid?: number;
  readonly consumer: string;
  /** Who calls; the consumer itself. */
  readonly process?: string;
  readonly file?: string;
  readonly volume?: string;
  /** Where the consumer mounted it; an address that is no node's name. */
  readonly server?: string;
  /** Through an open file, which is at that node. */
  readonly openAt?: string;
  readonly sha256?: string;
  /** `cut`: refused after it had begun. `absent`: there is no such file. */
  readonly outcome?: 'ok' | 'refused' | 'cut' | 'fail' | 'absent' | 'info' | 'pending';
  /** How long it takes; 5 ms. */
  readonly tookMs?: number;
}

const PHASES = {
  ok: 'ok',
  refused: 'fail',
  cut: 'info',
  fail: 'fail',
  absent: 'fail',
  info: 'info',
} as const;

export function createHistory(input: TopologyInput = TOPOLOGY) {
  const topology = parseTopology(input, 'test');
  const history: HistoryEvent[] = [];
  const etcd: EtcdEvent[] = [];
  const logs: NodeLogLine[] = [];
  const keys = new Map<string, { value: string; lease: string | undefined; createRevision: number }>();
  let atMs = 0;
  let revision = 1;
  let calls = 0;

  const builder = {
    at: (ms: number) => {
      atMs = ms;
      return builder;
    },
    revision: () => revision,
    record: (event: HistoryEvent) => {
      history.push(event);
      return builder;
    },

    put: (key: string, value: unknown, options: { lease?: string; raw?: boolean } = {}) => {
      revision += 1;
      const text = options.raw === true ? String(value) : JSON.stringify(value);
      const createRevision = keys.get(key)?.createRevision ?? revision;
      keys.set(key, { value: text, lease: options.lease, createRevision });
      const lease = options.lease ?? '0';
      etcd.push({ atMs, revision, kind: 'put', key, value: text, createRevision, lease });
      return builder;
    },
    remove: (key: string) => {
      revision += 1;
      keys.delete(key);
      etcd.push({ atMs, revision, kind: 'delete', key });
      return builder;
    },
    /** Puts a volume, and answers with it, so that the next change can start from it. */
    write: (volume: Volume): Volume => {
      builder.put(volumeKey(volume.id), volume);
      return volume;
    },

    registers: (name: string, lease: string) => {
      const node = topology.nodes.find((candidate) => candidate.name === name);
      const labels = node?.labels ?? {};
      const capacity = node?.capacityGib ?? 8;
      builder.put(specKey(name), { volume_path: '/srv/cobalt', capacity, labels, draining: false });
      const facts = { name, address: name, labels, capacity, available: capacity, roles: node?.roles ?? [] };
      builder.put(nodeKey(name), { ...facts, virtual: false, started_at: '2026-01-01T00:00:00Z' }, { lease });
      return builder.log(name, 'info', 'agent.registered', { lease });
    },
    /** The engine of the node becomes leader, and says so. Answers with its term. */
    elects: (node: string, lease: string): number => {
      const leader = { node, instance: `${node}-1`, since: '2026-01-01T00:00:00Z' };
      builder.put(LEADER_KEY, leader, { lease });
      builder.log(node, 'info', 'engine.elected', { term: revision });
      return revision;
    },
    log: (container: string, level: LogLevel, event: string, fields: LogFields = {}) => {
      logs.push({ atMs, container, level, event, fields });
      return builder;
    },

    http: (
      status: number | undefined,
      operation: Partial<Extract<Operation, { kind: 'http' }>> = {},
      body?: unknown,
    ) => {
      calls += 1;
      const call = { type: 'call', call: calls, process: 'client' } as const;
      const http = { kind: 'http', node: 'node1', method: 'POST', path: '/volumes', ...operation } as const;
      history.push({ ...call, atMs, phase: 'invoke', operation: http });
      const phase = status === undefined ? 'info' : status < 400 ? 'ok' : 'fail';
      const answer = { ...(status !== undefined && { status }), ...(body !== undefined && { body }) };
      history.push({ ...call, atMs: atMs + 5, phase, operation: http, ...answer });
      return builder;
    },
    io: (options: FileCall) => {
      const { kind, consumer, file = 'one', volume = VOLUME_ID, sha256 = 'aa', outcome = 'ok' } = options;
      calls += 1;
      const operation: Operation = {
        kind,
        consumer,
        server: options.server ?? '10.0.0.2',
        volume,
        file,
        ...(kind === 'nfs-write' ? { sha256 } : {}),
        ...(options.uid !== undefined && { uid: options.uid }),
        ...(options.openAt !== undefined && { through: 'kernel' }),
      };
      const call = { type: 'call', call: calls, process: options.process ?? consumer, operation } as const;
      history.push({ ...call, atMs, phase: 'invoke' });
      if (outcome === 'pending') return builder;
      const phase = PHASES[outcome];
      const at = options.openAt === undefined ? {} : { server: options.openAt };
      const found = outcome === 'ok' ? { sha256, ...at } : at;
      const why =
        outcome === 'refused' || outcome === 'cut'
          ? { refused: true }
          : outcome === 'absent'
            ? { absent: true }
            : {};
      history.push({ ...call, atMs: atMs + (options.tookMs ?? 5), phase, ...found, ...why });
      return builder;
    },
    /** The consumer begins to follow the events, or hangs up. */
    follow: (phase: 'open' | 'lost' | 'end', consumer: string) => {
      history.push({ type: 'follow', atMs, phase, consumer, node: 'node1' });
      return builder;
    },
    /** What is told of the newest revision, unless `data` says otherwise. */
    told: (consumer: string, data: { readonly kind: string } & Readonly<Record<string, unknown>>) => {
      const event = { consumer, node: 'node1', id: String(data.revision ?? revision), event: data.kind };
      history.push({ type: 'told', atMs, ...event, data: { revision, ...data } });
      return builder;
    },
    /** Both phases: `inject` now, `injected` 50 ms later. */
    fault: (fault: string, container: string, role?: string) => {
      const hit = { type: 'fault', fault, container, ...(role === undefined ? {} : { role }) } as const;
      history.push({ ...hit, atMs, phase: 'inject' }, { ...hit, atMs: atMs + 50, phase: 'injected' });
      return builder;
    },
    expectation: (event: Partial<ExpectationEvent>) => {
      history.push({ type: 'expectation', atMs, what: 'it holds', outcome: 'met', seen: 'it', ...event });
      return builder;
    },
    inventory: (label: string, node: string, inventory: Partial<Inventory> = {}) => {
      const empty = {
        volumes: [],
        trash: [],
        exports: [],
        coresWanted: { api: 0.01, engine: 0.01, agent: 0.02 },
      };
      history.push({ type: 'inventory', atMs, label, node, inventory: { ...empty, ...inventory } });
      return builder;
    },
    /** Final inventories just as etcd says, and etcd itself. */
    settles: (files: Readonly<Record<string, string>> = {}) => {
      for (const { name } of topology.nodes) builder.inventory('final', name, builder.wanted(name, files));
      return builder.finalState();
    },
    finalState: () => {
      const leased = [...keys].flatMap(([key, { lease }]) =>
        lease === undefined ? [] : [[key, lease] as const],
      );
      history.push({
        type: 'final-state',
        atMs,
        revision,
        keys: Object.fromEntries([...keys].map(([key, { value }]) => [key, value])),
        keyLeases: Object.fromEntries(leased),
        leases: [...new Set(leased.map(([, lease]) => lease))],
      });
      return builder;
    },
    /** What etcd wants to be on a node. */
    wanted: (node: string, files: Readonly<Record<string, string>> = {}): Inventory => {
      const volumes = [...keys]
        .filter(([key]) => key.startsWith(VOLUMES_PREFIX))
        .map(([, { value }]) => JSON.parse(value) as Volume)
        .filter((volume) => volume.node === node && volume.actual !== null);
      return {
        volumes: volumes.map(({ id, requested }) => ({
          id,
          quotaBytes: gibToBytes(requested.reserved_size),
          usedBytes: 0,
          files,
        })),
        trash: [],
        exports: volumes
          .filter((volume) => volume.exports.length > 0)
          .map(({ id, exports }) => ({ id, clients: exports })),
      };
    },
    /** How busy the machine was for so long, up to now; where nothing is said of it, it was quiet all along. */
    machine: (overMs: number, how: { readonly runnable?: number; readonly lateMs?: number }) => {
      history.push({ type: 'machine', atMs, overMs, lateMs: 0, runnable: 1, cores: 2, ...how });
      return builder;
    },
    run: (change: Partial<RecordedRun> = {}): RecordedRun => ({
      scenario: 'test',
      seed: 1,
      topology,
      consumers: CONSUMERS,
      // A call's end is recorded with it, so put everything in order.
      history: [...history, ...(history.some(({ type }) => type === 'machine') ? [] : [QUIET])].toSorted(
        (a, b) => a.atMs - b.atMs,
      ),
      etcd,
      etcdComplete: true,
      logs: logs.toSorted((a, b) => a.atMs - b.atMs),
      ...change,
    }),
  };
  return builder;
}

export type HistoryBuilder = ReturnType<typeof createHistory>;
