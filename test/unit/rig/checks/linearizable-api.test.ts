// The API itself, two of it over one store, and clients that call both at once:
// what they are told is linearizable, unless the store's reads are not.

import { describe, expect, it } from '@jest/globals';
import { createSystemClock } from '../../../../src/base/clock.ts';
import { below, createSeededRandom } from '../../../../src/base/random.ts';
import { volumeKey } from '../../../../src/kv/keys.ts';
import type { GetResult, Kv } from '../../../../src/kv/kv.ts';
import { createMemoryStore } from '../../../../src/kv/memory.ts';
import * as change from '../../../../src/model/changes.ts';
import type { Volume } from '../../../../src/model/volume.ts';
import { linearizable } from '../../../../src/rig/checks/linearizable.ts';
import { createClients } from '../../../../src/rig/clients.ts';
import type { Deployment } from '../../../../src/rig/deployment.ts';
import type { HistoryEvent, RecordedRun } from '../../../../src/rig/history.ts';
import { fetchHttp } from '../../../../src/rig/http.ts';
import type { Journal } from '../../../../src/rig/journal.ts';
import { startApi } from '../../../support/api.ts';
import { by, createHistory } from '../support/history.ts';

const clock = createSystemClock();
const CLIENTS = 4;
const CALLS_EACH = 40;

/** Reads of one volume's key as of the last time but one that it was read. */
function stale(kv: Kv): Kv {
  const known = new Map<string, GetResult>();
  return {
    ...kv,
    get: async (key) => {
      const fresh = await kv.get(key);
      const old = known.get(key) ?? fresh;
      known.set(key, fresh);
      return old;
    },
  };
}

async function callBoth(second: (kv: Kv) => Kv): Promise<RecordedRun> {
  const random = createSeededRandom(11);
  const kv = createMemoryStore({ clock, random }).connect();
  await using one = await startApi({ kv });
  await using two = await startApi({ kv: second(kv) });
  const history: HistoryEvent[] = [];
  const atMs = () => history.length;
  const journal = {
    atMs,
    record: (event: HistoryEvent) => void history.push({ ...event, atMs: atMs() }),
  } as unknown as Journal;
  const api = async (node: string) => (node === 'one' ? one : two).url;
  const deployment = { api, fetch: fetchHttp } as unknown as Deployment;
  const clients = createClients({ deployment, journal });
  const requested = { reserved_size: 1, constraints: {} };
  const order = { name: 'a', meta: {}, requested, exports: [] };
  const made = await clients.http({
    process: 'first',
    node: 'one',
    method: 'POST',
    path: '/volumes',
    body: order,
  });
  const { id } = made.body as Volume;
  const path = `/volumes/${id}`;

  /** What the engine and the agent would do, if nobody else does something first. */
  const goOn = async (): Promise<void> => {
    const { kv: found } = await kv.get(volumeKey(id));
    if (found === undefined) return;
    const volume = JSON.parse(found.value) as Volume;
    const author = { ...by(volume.state === 'pending' ? 'engine' : 'agent', 'one', 2), nowMs: clock.nowMs() };
    const next =
      volume.state === 'pending'
        ? change.granted(volume, author)
        : volume.state === 'ready'
          ? change.exported(volume, author)
          : change.completed({ ...volume, node: 'one' }, author);
    await kv.transact({
      compare: [{ key: found.key, target: 'mod', equals: found.modRevision }],
      writes: [{ kind: 'put', key: found.key, value: JSON.stringify(next) }],
    });
  };
  const work = async (process: string): Promise<void> => {
    for (let count = 0; count < CALLS_EACH; count += 1) {
      const via = { process, node: below(random, 2) === 0 ? 'one' : 'two' };
      const kind = below(random, 6);
      const size = { reserved_size: 1 + below(random, 5) };
      const host = `10.0.0.${below(random, 250)}`;
      if (kind === 0) await clients.http({ ...via, method: 'PUT', path, body: { requested: size } });
      else if (kind === 1)
        await clients.http({
          ...via,
          method: 'PUT',
          path: `${path}/exports`,
          body: { exports: [{ host, access: 'rw' }] },
        });
      else if (kind === 2) await clients.http({ ...via, method: 'GET', path: '/volumes' });
      else if (kind === 3) await goOn();
      else await clients.http({ ...via, method: 'GET', path });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, index) => work(`client${index}`)));
  await kv.close();
  return createHistory().run({ history });
}

describe('linearizable, of the API', () => {
  it('accepts what it answers to clients that call it at once', async () => {
    expect(linearizable(await callBoth((kv) => kv))).toMatchObject({ verdict: 'valid' });
  });

  it('rejects answers from reads that are not', async () => {
    expect(linearizable(await callBoth(stale))).toMatchObject({ verdict: 'invalid' });
  });
});
