// A long run of a cluster in which nothing goes wrong, made by a small model of it:
// what clients order happens, step by step, with the daemon's own changes, and a
// consumer is told of everything. Every check has something to judge in it.

import { below, createSeededRandom } from '../base/random.ts';
import { gibToBytes } from '../base/units.ts';
import { LEADER_KEY, nodeKey, specKey, volumeKey } from '../kv/keys.ts';
import * as change from '../model/changes.ts';
import type { ClusterEvent } from '../model/event.ts';
import type { Leader, Node } from '../model/node.ts';
import { advance, type Change, emptyPicture } from '../model/picture.ts';
import type { Role, Volume } from '../model/volume.ts';
import type {
  EtcdEvent,
  HistoryEvent,
  Inventory,
  NodeLogLine,
  Operation,
  RecordedRun,
} from '../rig/history.ts';
import { parseTopology } from '../rig/topology.ts';

const NODES = ['node1', 'node2', 'node3', 'node4', 'node5'];
const CONSUMERS = { consumer1: '10.0.0.11', consumer2: '10.0.0.12' } as const;
const STARTED = Date.parse('2026-01-01T00:00:00Z');
/** How often each is done, in proportion; `words` are those of nodes on their disks. */
const SHARES = {
  create: 150,
  clone: 50,
  resize: 900,
  reexport: 900,
  move: 500,
  read: 1_200,
  write: 1_600,
  look: 900,
  words: 9_000,
};
type Step = keyof typeof SHARES;
const DEALT: readonly Step[] = Object.entries(SHARES).flatMap(([step, share]) =>
  Array<Step>(share).fill(step as Step),
);

interface Size {
  readonly etcdEvents: number;
  readonly calls: number;
}

/** With about so many events and calls: the last step may bring a few more. */
export function longRun({ etcdEvents, calls }: Size, seed: number): RecordedRun {
  const random = createSeededRandom(seed);
  const history: HistoryEvent[] = [];
  const etcd: EtcdEvent[] = [];
  const logs: NodeLogLine[] = [];
  const keys = new Map<
    string,
    { readonly value: string; readonly lease: string; readonly createRevision: number }
  >();
  const volumes = new Map<string, { readonly volume: Volume; readonly revision: number }>();
  const files = new Map<string, Record<string, string>>();
  const nodes = new Map<string, Node>();
  const picture = emptyPicture();
  let atMs = 0;
  let revision = 1;
  let made = 0;

  const tell = (told: Change): void => {
    const events = advance(picture, { revision, changes: [told] });
    for (const [index, event] of events.entries()) hear(event, index === events.length - 1);
  };
  const hear = (event: ClusterEvent, isLast: boolean): void => {
    const id = isLast ? { id: String(revision) } : {};
    history.push({
      type: 'told',
      atMs,
      consumer: 'consumer1',
      node: 'node1',
      event: event.kind,
      data: event,
      ...id,
    });
  };
  let measuredMs = 0;
  /** Of a machine that has time to spare. */
  const measure = (): void => {
    if (atMs - measuredMs < 500) return;
    history.push({ type: 'machine', atMs, overMs: atMs - measuredMs, lateMs: 0, runnable: 1, cores: 2 });
    measuredMs = atMs;
  };
  const put = (key: string, json: unknown, lease = '0'): void => {
    atMs += 2;
    revision += 1;
    const createRevision = keys.get(key)?.createRevision ?? revision;
    const value = JSON.stringify(json);
    keys.set(key, { value, lease, createRevision });
    etcd.push({ atMs, revision, kind: 'put', key, value, createRevision, lease });
  };
  const write = (volume: Volume): Volume => {
    put(volumeKey(volume.id), volume);
    volumes.set(volume.id, { volume, revision });
    tell({ kind: 'volume', id: volume.id, value: volume });
    return volume;
  };
  const log = (container: string, event: string, fields: NodeLogLine['fields'] = {}): void => {
    atMs += 1;
    logs.push({ atMs, container, level: 'info', event, fields });
  };
  const by = (role: Role, node: string) => ({
    writer: { role, node, term: role === 'engine' ? term : null },
    nowMs: STARTED + atMs,
  });
  const call = (operation: Operation, process: string, effect: () => object): void => {
    made += 1;
    const event = { type: 'call', call: made, process, operation } as const;
    history.push({ ...event, atMs, phase: 'invoke' });
    const answer = effect();
    atMs += 3;
    history.push({ ...event, atMs, phase: 'ok', ...answer });
  };
  const http = (
    {
      method,
      path,
      body,
      status,
    }: { method: 'GET' | 'POST' | 'PUT'; path: string; body?: unknown; status: number },
    effect: () => Volume,
  ): Volume => {
    let volume: Volume | undefined;
    const node = NODES[below(random, NODES.length)] ?? '';
    call(
      { kind: 'http', node, method, path, ...(body !== undefined && { body }) },
      `client${made % 4}`,
      () => {
        volume = effect();
        return { status, body: { ...volume, mount: null }, etag: `"${volumes.get(volume.id)?.revision}"` };
      },
    );
    return volume as Volume;
  };
  const agentOf = ({ node }: Volume) => by('agent', node ?? '');
  const one = (): Volume => [...volumes.values()][below(random, volumes.size)]?.volume as Volume;
  const io = (kind: 'nfs-read' | 'nfs-write', process = 'consumer1'): void => {
    const { id, node } = one();
    const file = `f${below(random, 8)}`;
    const found = kind === 'nfs-read' ? files.get(id)?.[file] : undefined;
    const sha256 = found ?? `${made}`.padStart(64, '0');
    const target = { consumer: 'consumer1', server: node ?? '', volume: id, file };
    files.set(id, { ...files.get(id), [file]: sha256 });
    atMs += 1;
    const operation: Operation =
      found === undefined ? { kind: 'nfs-write', ...target, sha256 } : { kind: 'nfs-read', ...target };
    call(operation, process, () => ({ sha256 }));
  };

  const STEP: Readonly<Record<Step, () => void>> = {
    create: () => {
      const id = `v${(volumes.size + 1).toString(16).padStart(16, '0')}`;
      const requested = { reserved_size: 1, constraints: { zone: 'a' } };
      const exports = [{ host: CONSUMERS.consumer1, access: 'rw', squash: 'none' } as const];
      const order = { name: `volume-${id}`, meta: {}, requested, exports };
      const volume = http({ method: 'POST', path: '/volumes', body: order, status: 202 }, () =>
        write(change.newVolume(id, order, by('api', 'node1'))),
      );
      const node = NODES[below(random, NODES.length - 1)] ?? '';
      const assigned = write(change.assigned(volume, node, by('engine', 'node1')));
      log(node, 'volume.created', { volume: id });
      const done = write(change.completed(assigned, by('agent', node)));
      log(node, 'volume.exported', { volume: id });
      // The rules take a moment on the server.
      atMs += 3_000;
      call(
        { kind: 'nfs-write', consumer: 'consumer1', server: node, volume: id, file: 'f0', sha256: id },
        'consumer1',
        () => ({
          sha256: id,
        }),
      );
      files.set(done.id, { f0: id });
    },
    clone: () => {
      const parent = one();
      const id = `v${(volumes.size + 1).toString(16).padStart(16, '0')}`;
      const order = { ...parent, name: `volume-${id}`, parentId: parent.id };
      const body = { ...order, id: parent.id };
      const asked = http({ method: 'POST', path: '/volumes', body, status: 202 }, () =>
        write(change.newClone(id, order, by('api', 'node1'))),
      );
      const node = parent.node ?? '';
      const granted = write(change.cloneGranted(asked, node, by('engine', 'node1')));
      log(node, 'volume.cloned', { volume: id });
      write(change.completed(granted, by('agent', node)));
      log(node, 'volume.exported', { volume: id });
      files.set(id, { ...files.get(parent.id) });
      // The rules take a moment on the server.
      atMs += 3_000;
    },
    resize: () => {
      const volume = one();
      const requested = { ...volume.requested, reserved_size: volume.requested.reserved_size === 1 ? 2 : 1 };
      const asked = http(
        { method: 'PUT', path: `/volumes/${volume.id}`, body: { requested }, status: 202 },
        () => write(change.requested(volume, requested, by('api', 'node2'))),
      );
      write(change.completed(write(change.granted(asked, by('engine', 'node1'))), agentOf(volume)));
    },
    reexport: () => {
      const volume = one();
      const [first] = volume.exports;
      const second = { host: CONSUMERS.consumer2, access: 'ro', squash: 'root' } as const;
      const exports = volume.exports.length === 1 && first ? [first, second] : volume.exports.slice(0, 1);
      const path = `/volumes/${volume.id}/exports`;
      const asked = http({ method: 'PUT', path, body: { exports }, status: 202 }, () =>
        write(change.reexported(volume, exports, by('api', 'node3'))),
      );
      write(change.exported(asked, agentOf(volume)));
    },
    move: () => {
      const volume = one();
      const from = volume.node ?? '';
      const to = NODES[(NODES.indexOf(from) + 1) % (NODES.length - 1)] ?? '';
      const task = { kind: 'move', cause: 'asked', node: null, copy: null } as const;
      const asked = http({ method: 'POST', path: `/volumes/${volume.id}/move`, body: {}, status: 202 }, () =>
        write(change.tasked(volume, task, by('api', 'node2'))),
      );
      moveTo(asked, to, 'asked');
    },
    read: () => io('nfs-read'),
    write: () => io('nfs-write'),
    look: () => {
      const { volume } = volumes.get(one().id) as { volume: Volume };
      http({ method: 'GET', path: `/volumes/${volume.id}`, status: 200 }, () => volume);
    },
    words: () => {
      const name = NODES[below(random, NODES.length)] ?? '';
      register(name, 50 + below(random, 50));
    },
  };
  const moveTo = (volume: Volume, to: string, cause: 'asked' | 'drain'): void => {
    const { id, node } = volume;
    const from = node ?? '';
    const copy = `${revision.toString(16).padStart(16, '0')}-1`;
    const sent = write(change.moveGranted(volume, { node: to, cause }, by('engine', 'node1')));
    log(from, 'move.cutover', { volume: id, to });
    const handed = write(change.handedOver(sent, copy, by('agent', from)));
    log(to, 'volume.exported', { volume: id });
    write(change.completed(handed, by('agent', to)));
    log(from, 'move.verified', { volume: id, to, copy });
    log(from, 'move.source-trashed', { volume: id, to });
  };
  const register = (name: string, available: number): void => {
    const facts = {
      name,
      address: `10.1.0.${NODES.indexOf(name) + 1}`,
      labels: { zone: 'a' },
      capacity: 1_024,
    };
    const rest = { agent: null, disk: { state: 'ok', reason: null } as const, remains: null, virtual: false };
    const node: Node = {
      ...facts,
      available,
      roles: ['api', 'engine', 'agent'],
      ...rest,
      started_at: '2026-01-01T00:00:00Z',
    };
    nodes.set(name, node);
    put(nodeKey(name), node, `1${NODES.indexOf(name)}`);
    tell({ kind: 'node', name, value: node });
  };
  const specify = (name: string, draining: boolean): void =>
    put(specKey(name), { volume_path: '/srv', capacity: 1_024, labels: { zone: 'a' }, draining });

  for (const name of NODES) {
    specify(name, false);
    register(name, 99);
    log(name, 'agent.registered');
  }
  const leader: Leader = { node: 'node1', instance: 'i', since: '2026-01-01T00:00:00Z' };
  put(LEADER_KEY, leader, '21');
  const term = revision;
  tell({ kind: 'leader', value: leader });
  log('node1', 'engine.elected', { term });
  history.push({ type: 'follow', atMs, phase: 'open', consumer: 'consumer1', node: 'node1' });
  atMs += 2_000;
  STEP.create();
  const drained = [...volumes.values()][0]?.volume as Volume;
  const away = drained.node ?? '';
  specify(away, true);
  moveTo(drained, NODES.find((name) => name !== away) ?? '', 'drain');
  specify(away, false);
  history.push({
    type: 'expectation',
    atMs,
    what: 'it is drained',
    outcome: 'met',
    boundMs: 10_000,
    measuredMs: 10,
    seen: 'so',
  });
  while (etcd.length < etcdEvents || made < calls) {
    const step = DEALT[below(random, DEALT.length)] ?? 'words';
    // What is still wanted alone, once there is enough of the other.
    if (made >= calls) STEP.words();
    else if (etcd.length >= etcdEvents) STEP.look();
    else STEP[step]();
    measure();
  }
  atMs += 5_000;
  measure();
  history.push({ type: 'follow', atMs, phase: 'end', consumer: 'consumer1', node: 'node1' });
  for (const name of NODES) {
    history.push({ type: 'inventory', atMs, label: 'final', node: name, inventory: inventoryOf(name) });
  }
  const leased = [...keys].filter(([, { lease }]) => lease !== '0');
  history.push({
    type: 'final-state',
    atMs,
    revision,
    keys: Object.fromEntries([...keys].map(([key, { value }]) => [key, value])),
    keyLeases: Object.fromEntries(leased.map(([key, { lease }]) => [key, lease])),
    leases: leased.map(([, { lease }]) => lease),
  });
  const topology = parseTopology(
    {
      nodes: NODES.map((name) => ({ name, labels: { zone: 'a' }, capacityGib: 1_024 })),
      consumers: Object.keys(CONSUMERS),
    },
    'bench',
  );
  return { scenario: 'bench', seed, topology, consumers: CONSUMERS, history, etcd, etcdComplete: true, logs };

  function inventoryOf(name: string): Inventory {
    const here = [...volumes.values()].map(({ volume }) => volume).filter(({ node }) => node === name);
    return {
      volumes: here.map(({ id, requested }) => ({
        id,
        quotaBytes: gibToBytes(requested.reserved_size),
        usedBytes: 0,
        files: files.get(id) ?? {},
      })),
      trash: [],
      exports: here.map(({ id, exports }) => ({ id, clients: exports })),
      copies: [],
      coresWanted: { api: 0.01, engine: 0.01, agent: 0.02 },
    };
  }
}
