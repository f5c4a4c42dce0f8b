// etcd as its operator handles it (rig/deployment.ts, Store), by its members' JSON gateways.

import { z } from 'zod';
import { RigError } from '../base/errors.ts';
import type { ContainerState, Store } from '../rig/deployment.ts';
import { type Answered, askEtcd, base64, NOT_FOUND, OUT_OF_RANGE } from './etcd-gateway.ts';

const CALL_WITHIN_MS = 3_000;
const HEALTH_WITHIN_MS = 2_000;
/** Defragmenting stops the member for as long as it takes. */
const DEFRAGMENTED_WITHIN_MS = 20_000;

const anySchema = z.object({});
const rangeSchema = z.object({
  kvs: z.array(z.object({ create_revision: z.string(), lease: z.string().default('0') })).default([]),
});
/** A lease that there is not has this left of its time (etcd's rpc.proto, LeaseTimeToLiveResponse). */
const GONE = '-1';
const leaseSchema = z.object({ TTL: z.string().default('0') });
const statusSchema = z.object({
  header: z.object({ member_id: z.string() }),
  leader: z.string().default('0'),
});
const membersSchema = z.object({
  members: z.array(z.object({ ID: z.string(), name: z.string().default(''), peerURLs: z.array(z.string()) })),
});

export interface StoreOptions {
  readonly members: () => readonly string[];
  readonly state: (member: string) => ContainerState;
  /** URL of a member's client port. */
  readonly url: (member: string) => string;
  /** Where other members reach it. */
  readonly peerUrl: (member: string) => string;
  /** Takes the data of a member that doesn't run away, so that it joins a cluster that exists when it is started. */
  readonly lose: (member: string) => Promise<void>;
}

interface Question<T> {
  readonly path: string;
  readonly body?: unknown;
  readonly schema: z.ZodType<T>;
  readonly definite?: readonly number[];
}

export function createStore(options: StoreOptions): Store {
  const { members, state, url, peerUrl } = options;

  const askMember = <T>(
    member: string,
    { body = {}, ...question }: Question<T>,
    timeoutMs: number,
  ): Promise<Answered<T>> => askEtcd(url(member), { ...question, body, timeoutMs });

  /** What the first member says that can answer. */
  const ask = async <T>(question: Question<T>): Promise<Answered<T>> => {
    let last = 'no member runs';
    for (const member of members().filter((one) => state(one) === 'running')) {
      try {
        return await askMember(member, question, CALL_WITHIN_MS);
      } catch (error) {
        last = `${member}: ${(error as Error).message}`;
      }
    }
    throw new RigError('unavailable', `etcd doesn't do ${question.path}: ${last}`);
  };
  const askFor = async <T>(question: Omit<Question<T>, 'definite'>): Promise<T> => {
    const answer = await ask(question);
    if ('body' in answer) return answer.body;
    throw new RigError('internal', `${question.path}: a refusal that nobody has asked for`);
  };
  const listed = async () => (await askFor({ path: 'cluster/member/list', schema: membersSchema })).members;

  return {
    read: async (key) => {
      const body = { key: base64(key) };
      const [found] = (await askFor({ path: 'kv/range', body, schema: rangeSchema })).kvs;
      if (found === undefined) return undefined;
      const lease = found.lease === '0' ? undefined : BigInt(found.lease).toString(16);
      return { createRevision: Number(found.create_revision), lease };
    },
    lives: async (lease) => {
      const body = { ID: decimal(lease) };
      return (await askFor({ path: 'lease/timetolive', body, schema: leaseSchema })).TTL !== GONE;
    },
    revoke: async (lease) =>
      void (await ask({
        path: 'lease/revoke',
        body: { ID: decimal(lease) },
        schema: anySchema,
        definite: [NOT_FOUND],
      })),
    compact: async (revision) =>
      void (await ask({
        path: 'kv/compaction',
        body: { revision: String(revision) },
        schema: anySchema,
        definite: [OUT_OF_RANGE],
      })),
    isCompacted: async (revision) => {
      const body = { key: base64('/'), revision: String(revision) };
      return (
        'refused' in (await ask({ path: 'kv/range', body, schema: rangeSchema, definite: [OUT_OF_RANGE] }))
      );
    },
    defragment: async (member) =>
      void (await askMember(
        member,
        { path: 'maintenance/defragment', schema: anySchema },
        DEFRAGMENTED_WITHIN_MS,
      )),
    members: async () =>
      new Map((await listed()).flatMap(({ ID, name }) => (name === '' ? [] : [[name, ID] as const]))),
    ailment: async (member) => {
      if (state(member) !== 'running') throw new RigError('conflict', `${member} is ${state(member)}`);
      const question = { path: 'kv/range', body: { key: base64('health') }, schema: rangeSchema };
      return askMember(member, question, HEALTH_WITHIN_MS).then(
        () => undefined,
        (error: unknown) => (error as Error).message,
      );
    },
    leads: async (member) => {
      if (state(member) !== 'running') return false;
      const question = { path: 'maintenance/status', schema: statusSchema };
      // One that has ended meanwhile leads nobody.
      const answer = await askMember(member, question, HEALTH_WITHIN_MS).catch(() => undefined);
      return answer !== undefined && 'body' in answer && answer.body.leader === answer.body.header.member_id;
    },
    lose: options.lose,
    readmit: async (member) => {
      const peer = peerUrl(member);
      const known = (await listed()).find(({ peerURLs }) => peerURLs.includes(peer));
      // One that was added and has not started yet.
      if (known?.name === '') return;
      if (known !== undefined)
        await askFor({ path: 'cluster/member/remove', body: { ID: known.ID }, schema: anySchema });
      await askFor({ path: 'cluster/member/add', body: { peerURLs: [peer] }, schema: anySchema });
    },
  };
}

const decimal = (lease: string): string => BigInt(`0x${lease}`).toString();
