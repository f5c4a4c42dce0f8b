// The same random programs run against memory and etcd; every result and the
// whole history must be the same, but for where revisions and lease ids start.

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hasCode } from '../../src/base/errors.ts';
import type { Compare, Kv, Write } from '../../src/kv/kv.ts';
import { BACKENDS, type Backend, collectBatches, freshPrefix, put } from './kv-backends.ts';

const KEYS = ['a', 'a/b', 'b', 'c'];
const LEASE_SLOTS = 2;

const key = fc.constantFrom(...KEYS);
const slot = fc.nat({ max: LEASE_SLOTS - 1 });
const write = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('put' as const), key, slot: fc.option(slot) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
);
/** Revisions and versions are small, so that compares often hold. */
const compare = fc.record({
  key,
  target: fc.constantFrom('mod' as const, 'create' as const, 'version' as const),
  equals: fc.nat({ max: 6 }),
});
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('transact' as const),
      compare: fc.array(compare, { maxLength: 2 }),
      writes: fc.array(write, { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('get' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('list' as const), key: fc.constantFrom('', ...KEYS) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('grant', 'renew', 'lookUp'), slot }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('revoke' as const), slot }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** `resumeAfter`: how many revisions after the first one a second watch of the history begins. */
async function runProgram(
  kv: Kv,
  program: readonly Step[],
  resumeAfter: number,
): Promise<readonly unknown[]> {
  const prefix = freshPrefix();
  const base = (await kv.get(prefix)).revision;
  const slots: string[] = [];
  for (let slot = 0; slot < LEASE_SLOTS; slot += 1) await grantInto(kv, slots, slot);
  const history = async (fromRevision: number, untilRevision: number): Promise<unknown> => {
    const batches = await collectBatches(kv, { prefix, fromRevision, untilRevision });
    return batches.flatMap(({ events }) => events);
  };
  const toWrite = (write: { kind: string; key: string; slot?: number | null }): Write => {
    const named = `${prefix}${write.key}`;
    if (write.kind === 'delete') return { kind: 'delete', key: named };
    const { slot } = write;
    const lease = typeof slot === 'number' ? { lease: slots[slot] as string } : {};
    return { kind: 'put', key: named, value: `value of ${write.key}`, ...lease };
  };
  const toCompare = ({ key, target, equals }: Compare): Compare => ({
    key: `${prefix}${key}`,
    target,
    equals: target === 'version' || equals === 0 ? equals : base + equals,
  });
  const execute = async (step: Step): Promise<unknown> => {
    switch (step.op) {
      case 'transact':
        return kv.transact({ compare: step.compare.map(toCompare), writes: step.writes.map(toWrite) });
      case 'get':
        return kv.get(`${prefix}${step.key}`);
      case 'list':
        return kv.list(`${prefix}${step.key}`);
      case 'grant':
        return { ttl: (await grantInto(kv, slots, step.slot)).ttlSeconds };
      case 'renew':
        return kv.keepLeaseAlive(slots[step.slot] as string);
      case 'revoke':
        return kv.revokeLease(slots[step.slot] as string);
      default:
        return (await kv.listLeases()).includes(slots[(step as { slot: number }).slot] as string);
    }
  };
  const results: unknown[] = [];
  for (const step of program) {
    const result = await execute(step).catch((error: unknown) => {
      if (!hasCode(error, 'invalid', 'not_found')) throw error;
      return { refused: error.code, definite: error.definite };
    });
    results.push(normalise(result, { prefix, base, slots: [...slots] }));
  }
  const end = await put(kv, `${prefix}zz-end`, 'end');
  const starts = [base + 1, Math.min(base + 1 + resumeAfter, end)];
  const histories = await Promise.all(starts.map((start) => history(start, end)));
  results.push(normalise(histories, { prefix, base, slots }));
  return results;
}

async function grantInto(kv: Kv, slots: string[], slot: number) {
  const lease = await kv.grantLease(60);
  slots[slot] = lease.id;
  return lease;
}

/** Takes out what the two stores may differ in: prefix, first revision, lease and cluster ids. */
function normalise(
  result: unknown,
  run: { readonly prefix: string; readonly base: number; readonly slots: readonly string[] },
): unknown {
  const replace = (name: string, value: unknown): unknown => {
    if (name === 'clusterId') return undefined;
    if (/revision$/i.test(name) && typeof value === 'number' && value > 0) return value - run.base;
    // A lease whose slot has been taken over is nobody's: equal only to another such.
    if (name === 'lease') return value === '0' ? 'none' : run.slots.indexOf(String(value));
    if (name === 'key') return String(value).slice(run.prefix.length);
    return value;
  };
  return result === undefined ? 'done' : JSON.parse(JSON.stringify(result, replace));
}

const backends: Backend[] = [];
const clients: Kv[] = [];

beforeAll(async () => {
  for (const { open } of BACKENDS) backends.push(await open());
  clients.push(...backends.map((backend) => backend.connect()));
}, 60_000);
afterAll(async () => {
  await Promise.all(clients.map((kv) => kv.close()));
  await Promise.all(backends.map((backend) => backend[Symbol.asyncDispose]()));
}, 30_000);

it('gives the same results and the same history in memory as in etcd', async () => {
  const [memory, etcd] = clients as [Kv, Kv];
  const program = fc.array(step, { minLength: 1, maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(program, fc.nat({ max: 20 }), async (steps, resumeAfter) => {
      const inMemory = await runProgram(memory, steps, resumeAfter);
      expect(inMemory).toEqual(await runProgram(etcd, steps, resumeAfter));
    }),
    { numRuns: 30 },
  );
}, 120_000);
