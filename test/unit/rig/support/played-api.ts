// Runs in which many clients call the API at once, as it would be if each call
// took effect at one moment: the volumes are real ones, with the real changes,
// and engines and agents do their part in between.

import { below, createSeededRandom } from '../../../../src/base/random.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import * as change from '../../../../src/model/changes.ts';
import { isIdle, type Volume } from '../../../../src/model/volume.ts';
import type { CallEvent, HistoryEvent, Operation, RecordedRun } from '../../../../src/rig/history.ts';
import { by, createHistory } from './history.ts';

type Http = Extract<Operation, { readonly kind: 'http' }>;
type Outcome = Pick<CallEvent, 'status' | 'body' | 'etag'>;

interface Stored {
  readonly volume: Volume;
  readonly revision: number;
}

interface Options {
  readonly seed: number;
  readonly calls: number;
  readonly volumes: number;
  readonly clients: number;
  /** Of a hundred changes, so many get no answer. Default: 5. */
  readonly unanswered?: number;
  /** Answers carry ETags. Default: true. */
  readonly etags?: boolean;
}

export function playedApi({
  seed,
  calls,
  volumes,
  clients,
  unanswered = 5,
  etags = true,
}: Options): RecordedRun {
  const random = createSeededRandom(seed);
  const history: HistoryEvent[] = [];
  const store = new Map<string, Stored>();
  const ids: string[] = [];
  let revision = 1;
  let atMs = 0;
  let made = 0;

  const put = (volume: Volume): Stored => {
    revision += 1;
    const stored = { volume: { ...volume, name: volume.name }, revision };
    store.set(volume.id, stored);
    return stored;
  };
  // No two changes of one volume at one time: its content says when it was changed.
  const author = (role: 'api' | 'agent' | 'engine') => ({
    ...by(role, 'node1', role === 'engine' ? 2 : null),
    nowMs: revision * 1000,
  });
  const shown = (status: number, { volume, revision: at }: Stored): Outcome => ({
    status,
    ...(status !== 304 && { body: { ...volume, mount: null } }),
    ...(etags && { etag: volume.actual === null ? `"${at}"` : `"${at}-0a"` }),
  });
  const refused = (status: number): Outcome => ({ status, body: { error: { code: 'x', message: 'x' } } });

  const background = (): void => {
    const id = ids[below(random, Math.max(1, ids.length))];
    const stored = id === undefined ? undefined : store.get(id);
    if (id === undefined || stored === undefined) return;
    const { volume } = stored;
    if (volume.state === 'deleting') {
      revision += 1;
      store.delete(id);
    } else if (volume.state === 'scheduling') {
      put(change.completed({ ...volume, node: 'node1' }, author('agent')));
    } else if (volume.state === 'pending') {
      const { task } = volume.control;
      put(
        task === null ? change.granted(volume, author('engine')) : change.settled(volume, author('engine')),
      );
    } else if (volume.state === 'resizing') {
      put(change.completed(volume, author('agent')));
    } else if (volume.actual !== null) {
      put(change.exported(volume, author('agent')));
    }
  };

  const effect = ({ method, path, body, ifMatch }: Http): Outcome => {
    const [, , id = '', part] = path.split('/');
    if (path === '/volumes') {
      if (method === 'GET') {
        const sorted = [...store.values()].sort((a, b) => (a.volume.id < b.volume.id ? -1 : 1));
        return {
          status: 200,
          body: { volumes: sorted.map(({ volume }) => ({ ...volume, mount: null })), next: null },
        };
      }
      made += 1;
      const next = `v${made.toString(16).padStart(16, '0')}`;
      ids.push(next);
      return shown(202, put(change.newVolume(next, body as change.VolumeOrder, author('api'))));
    }
    const stored = store.get(id);
    if (stored === undefined) return refused(404);
    const { volume } = stored;
    if (method === 'GET') return shown(200, stored);
    if (ifMatch !== undefined && !ifMatch.startsWith(`"${stored.revision}`)) return refused(412);
    if (volume.state === 'deleting') return refused(409);
    if (part === 'exports') {
      return shown(202, put(change.reexported(volume, (body as Volume).exports, author('api'))));
    }
    if (!isIdle(volume)) return refused(409);
    if (method === 'DELETE') return shown(202, put(change.condemned(volume, author('api'))));
    if (part === 'move') {
      const task = { kind: 'move', cause: 'asked', node: null, copy: null } as const;
      return shown(202, put(change.tasked(volume, task, author('api'))));
    }
    const { requested } = body as Volume;
    if (requested.reserved_size === volume.requested.reserved_size) return shown(304, stored);
    return shown(202, put(change.requested(volume, requested, author('api'))));
  };

  const drawn = (client: number): Http => {
    const http = { kind: 'http', node: `node${1 + below(random, 3)}` } as const;
    const id = ids[ids.length - 1 - below(random, Math.min(volumes, ids.length))];
    const isFull = ids.filter((each) => store.has(each)).length >= volumes;
    if (id === undefined || (!isFull && below(random, 3) === 0)) {
      const requested = { reserved_size: 1, constraints: {} };
      return {
        ...http,
        method: 'POST',
        path: '/volumes',
        body: { name: `a${client}`, meta: {}, requested, exports: [] },
      };
    }
    const path = `/volumes/${id}`;
    const known = store.get(id);
    const ifMatch = known !== undefined && below(random, 3) === 0 ? { ifMatch: `"${known.revision}"` } : {};
    const kind = below(random, 20);
    if (kind === 0) return { ...http, method: 'DELETE', path };
    if (kind === 1) return { ...http, method: 'POST', path: `${path}/move`, body: {} };
    if (kind === 2 && volumes <= 10) return { ...http, method: 'GET', path: '/volumes' };
    if (kind < 7) {
      const requested = { reserved_size: 1 + below(random, 8), constraints: {} };
      return { ...http, method: 'PUT', path, body: { requested }, ...ifMatch };
    }
    if (kind < 11) {
      const rule = { host: `10.0.0.${below(random, 200)}`, access: 'rw', squash: 'none' };
      return { ...http, method: 'PUT', path: `${path}/exports`, body: { exports: [rule] }, ...ifMatch };
    }
    return { ...http, method: 'GET', path };
  };

  interface Client {
    atMs: number;
    next: () => void;
  }
  const later = (): number => 0.5 + below(random, 5_000) / 1000;
  const late: Client[] = [];
  let begun = 0;
  const clientsNow: Client[] = Array.from({ length: clients }, (_, index) => {
    const client: Client = { atMs: later(), next: () => undefined };
    const invoke = (): void => {
      if (begun >= calls) {
        client.atMs = Number.POSITIVE_INFINITY;
        return;
      }
      begun += 1;
      const operation = drawn(index);
      const call = { type: 'call', call: begun, process: `client${index}`, operation } as const;
      history.push({ ...call, atMs, phase: 'invoke' });
      const isLost = operation.method !== 'GET' && below(random, 100) < unanswered;
      client.atMs = atMs + later();
      client.next = () => {
        const end = isLost ? undefined : effect(operation);
        // It may happen much later, or never.
        if (isLost && below(random, 2) === 0)
          late.push({ atMs: atMs + 10 * later(), next: () => effect(operation) });
        client.atMs = atMs + later();
        client.next = () => {
          const phase = end === undefined ? 'info' : (end.status ?? 500) < 400 ? 'ok' : 'fail';
          history.push({ ...call, atMs, phase, ...(end ?? { status: 503 }) });
          client.atMs = atMs + later() / 10;
          client.next = invoke;
        };
      };
    };
    client.next = invoke;
    return client;
  });

  for (;;) {
    const due = [...clientsNow, ...late].reduce((a, b) => (b.atMs < a.atMs ? b : a));
    if (due.atMs === Number.POSITIVE_INFINITY) break;
    atMs = due.atMs;
    due.next();
    const index = late.indexOf(due);
    if (index >= 0) late.splice(index, 1);
    background();
  }
  const keys = Object.fromEntries(
    [...store].map(([id, { volume }]) => [volumeKey(id), JSON.stringify(volume)]),
  );
  history.push({ type: 'final-state', atMs: atMs + 1, revision, keys, keyLeases: {}, leases: [] });
  return createHistory().run({ history });
}
