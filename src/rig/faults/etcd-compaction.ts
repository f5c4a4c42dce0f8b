// etcd is compacted and defragmented, a member at a time, again and again until
// healed. Only what the run's own record has by then is compacted away.

import type { Fault, Hit, Site } from './fault.ts';
import type { SpecOf } from './spec.ts';

type Compaction = SpecOf<'etcd-compaction'>;

interface Work {
  rounds: number;
  /** What is compacted by the last round, and the last that failed. */
  revision: number;
  failure: string;
  readonly stop: AbortController;
  done: Promise<void>;
}

const works = new WeakMap<Hit<Compaction>, Work>();
/** The first may have begun before whoever wrote meanwhile. */
const LEAST_ROUNDS = 2;

async function round({ deployment, recorded }: Site, members: readonly string[], work: Work): Promise<void> {
  const revision = recorded();
  await deployment.store.compact(revision);
  for (const member of members) {
    if ((await deployment.state(member)) === 'running') await deployment.store.defragment(member);
  }
  work.revision = revision;
  work.rounds += 1;
}

async function again(site: Site, { members, spec }: Hit<Compaction>, work: Work): Promise<void> {
  const { signal } = work.stop;
  while (!signal.aborted) {
    // While etcd is away it waits for the next time.
    await round(site, members, work).catch((error: unknown) => {
      work.failure = String(error);
    });
    await site.clock.sleep(spec.everyMs, signal).catch(() => undefined);
  }
}

export const etcdCompaction: Fault<Compaction> = {
  family: 'etcd',
  describe: ({ everyMs }) => `etcd is compacted and defragmented every ${everyMs} ms`,
  members: (_, { etcd }) => etcd,
  inject: async (site, hit) => {
    const stop = new AbortController();
    const work: Work = { rounds: 0, revision: 0, failure: '', stop, done: Promise.resolve() };
    works.set(hit, work);
    site.signal.addEventListener('abort', () => stop.abort(), { once: true });
    work.done = again(site, hit, work);
  },
  shows: async ({ deployment }, hit) => {
    const { rounds = 0, revision = 0, failure = '' } = works.get(hit) ?? {};
    // The revision itself can still be read.
    const isGone = rounds > 0 && (await deployment.store.isCompacted(revision - 1));
    const seen = `${rounds} rounds; revision ${revision - 1} can${isGone ? "'t" : ''} be read`;
    return { holds: isGone && rounds >= LEAST_ROUNDS, seen: failure === '' ? seen : `${seen}; ${failure}` };
  },
  heal: async (_, hit) => {
    works.get(hit)?.stop.abort();
    await works.get(hit)?.done;
  },
  healed: async ({ deployment }, { members }) => {
    const ailments = await Promise.all(members.map((member) => deployment.store.ailment(member)));
    const silent = members.filter((_, index) => ailments[index] !== undefined);
    return {
      holds: silent.length === 0,
      seen: silent.map((one) => `${one} is silent`).join(', ') || 'all answer',
    };
  },
};
