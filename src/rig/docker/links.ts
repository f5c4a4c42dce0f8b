// The network between members, broken and looked at through their sidecars.

import { hasCode } from '../../base/errors.ts';
import type { Arrivals, Connection, Link, LinkEffect, Links, Path } from '../deployment.ts';
import { type MemberRules, NO_RULES, rulesOf } from './link-rules.ts';
import type { Network, Sidecars } from './sidecars.ts';

/** Instead of what came of it: nobody can look at a member that ends meanwhile. */
const ENDED = Symbol('ended');

async function unlessEnded<T>(work: () => Promise<T>): Promise<T | typeof ENDED> {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, 'unavailable')) return ENDED;
    throw error;
  }
}

const PROBE = ['perl', '/opt/cobalt/probe.pl'];

export interface ContainerLinks extends Links {
  /** Puts in force again what members that were started since have lost, or know by an old address. */
  refresh(): Promise<void>;
  end(): Promise<void>;
}

/** `members` are all of the topology, also those that do not run. */
export function createLinks(options: {
  readonly sidecars: Sidecars;
  readonly members: () => readonly string[];
}): ContainerLinks {
  const { sidecars } = options;
  const keys = new Map<string, readonly Link[]>();
  /** What was put in force where, by member. */
  const applied = new Map<string, { readonly network: string; readonly text: string }>();
  let probes = 0;
  let features: Promise<ReadonlySet<string>> | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const featuresOf = (): Promise<ReadonlySet<string>> => {
    features ??= sidecars
      .runAlone(['sh', '/opt/cobalt/features.sh'])
      .then((words) => new Set(words.split('\n').filter(Boolean)));
    return features;
  };

  const networks = async (members: readonly string[]): Promise<ReadonlyMap<string, Network>> => {
    const found = await Promise.all(members.map((member) => sidecars.network(member)));
    return new Map(
      members.flatMap((member, index) => {
        const network = found[index];
        return network === undefined ? [] : [[member, network] as const];
      }),
    );
  };

  const apply = async (): Promise<void> => {
    const links = [...keys.values()].flat();
    if (links.length === 0 && applied.size === 0) return;
    const delayBy = (await featuresOf()).has('netem') ? 'netem' : 'tun';
    const found = await networks(options.members());
    const addressOf = new Map([...found].map(([member, { address }]) => [member, address]));
    await Promise.all(
      [...found].map(async ([member, { id }]) => {
        const rules = rulesOf({ member, links, addressOf, delayBy });
        const words = wordsOf(rules);
        const text = words.join('\0');
        const before = applied.get(member);
        const inForce = before?.network === id ? before.text : BARE;
        if (text === inForce) return;
        // What fails half-way is not what was there before: the next call does not leave it.
        applied.set(member, { network: id, text: UNKNOWN });
        try {
          await sidecars.run(member, ['sh', '/opt/cobalt/apply.sh', ...words]);
          applied.set(member, { network: id, text });
        } catch (error) {
          // Whoever died meanwhile gets its rules when it starts again.
          if (hasCode(error, 'unavailable')) return;
          if ((await sidecars.network(member))?.id === id) throw error;
        }
      }),
    );
  };

  /** One at a time: each sees what the one before it left. */
  const inTurn = (): Promise<void> => {
    const turn = last.then(apply);
    last = turn.catch(() => undefined);
    return turn;
  };

  /** Once for each sender, with the addresses of its receivers; answers by sender and address. */
  const ask = async <T>(
    groups: ReadonlyMap<string, readonly string[]>,
    command: readonly string[],
    read: (member: string, fields: readonly string[]) => T,
  ): Promise<readonly T[]> => {
    const answers = await Promise.all(
      [...groups].map(async ([member, addresses]) => {
        const text = await unlessEnded(() => sidecars.run(member, [...PROBE, ...command, ...addresses]));
        if (text === ENDED) return [];
        const lines = text.split('\n').filter(Boolean);
        return lines.map((line) => read(member, line.split(' ')));
      }),
    );
    return answers.flat();
  };

  /** Those of the members that run: whoever is to hear has to listen before anything is sent. */
  const listening = async (members: readonly string[]): Promise<ReadonlyMap<string, Network>> => {
    const found = await networks(members);
    const ready = await Promise.all(
      [...found.keys()].map((member) => unlessEnded(() => sidecars.ready(member))),
    );
    return new Map([...found].filter((_, index) => ready[index] !== ENDED));
  };

  const lookAt = async (paths: readonly Path[]) => {
    const found = await listening([...new Set(paths.flatMap(({ from, to }) => [from, to]))]);
    const address = (member: string): string => (found.get(member) as Network).address;
    const seen = paths.filter(({ from, to }) => found.has(from) && found.has(to));
    return {
      nameOf: new Map([...found].map(([member, network]) => [network.address, member])),
      bySender: grouped(
        seen,
        ({ from }) => from,
        ({ to }) => address(to),
      ),
      byReceiver: grouped(
        seen,
        ({ to }) => to,
        ({ from }) => address(from),
      ),
    };
  };

  return {
    set: async (key, links) => {
      if (links.length === 0) keys.delete(key);
      else keys.set(key, links);
      await inTurn();
    },
    inForce: () => keys,
    refresh: inTurn,
    send: async (paths, { count, bytes, withinMs }) => {
      const { nameOf, bySender, byReceiver } = await lookAt(paths);
      probes += 1;
      const probe = `p${probes}`;
      await ask(bySender, ['send', probe, String(count), String(bytes)], () => undefined);
      return ask(
        byReceiver,
        ['heard', probe, String(count), String(withinMs)],
        (to, [sender = '', ...came]) => arrivals({ from: nameOf.get(sender) ?? sender, to }, count, came),
      );
    },
    connect: async (paths, withinMs) => {
      const { nameOf, bySender } = await lookAt(paths);
      return ask(bySender, ['connect', String(withinMs)], (from, [peer = '', outcome, tookMs]) => ({
        from,
        to: nameOf.get(peer) ?? peer,
        outcome: outcome as Connection['outcome'],
        tookMs: Number(tookMs),
      }));
    },
    missing: async (effect) => {
      const has = await featuresOf();
      return WAYS[effect].some((way) => has.has(way)) ? undefined : LACKING[effect];
    },
    end: async () => {
      await last;
      await sidecars.end();
    },
  };
}

/** Arguments of images/links/apply.sh. */
const wordsOf = ({ filter, shaping, delays, resets }: MemberRules): readonly string[] => [
  filter,
  shaping,
  delays,
  resets,
];

/** What is in force in a network that nobody touched. */
const BARE = wordsOf(NO_RULES).join('\0');
const UNKNOWN = '';

/** Words of images/links/features.sh, any of which is enough. */
const WAYS: Readonly<Record<LinkEffect['does'], readonly string[]>> = {
  drop: ['drop'],
  lose: ['loss'],
  delay: ['netem', 'tun'],
  limit: ['limit'],
  reset: ['reset'],
  mute: ['mute'],
};

const LACKING: Readonly<Record<LinkEffect['does'], string>> = {
  drop: 'iptables does not work here',
  lose: "the kernel lacks iptables' statistic match (xt_statistic)",
  delay: 'the kernel has neither netem (sch_netem) nor TUN devices (tun)',
  limit: 'the kernel lacks htb (sch_htb) or u32 (cls_u32)',
  reset: "the kernel lacks iptables' REJECT target (ipt_REJECT)",
  mute: "the kernel lacks iptables' conntrack or length match (xt_conntrack, xt_length)",
};

function arrivals(path: Path, sent: number, came: readonly string[]): Arrivals {
  const times = came.map((pair) => pair.split(':').map(Number) as [number, number]);
  const [first, last] = [times[0], times.at(-1)];
  return {
    ...path,
    sent,
    tookMs: times.map(([sentMs, cameMs]) => cameMs - sentMs),
    spanMs: first === undefined || last === undefined ? 0 : last[1] - first[1],
  };
}

function grouped(
  paths: readonly Path[],
  key: (path: Path) => string,
  value: (path: Path) => string,
): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  for (const path of paths) groups.set(key(path), [...(groups.get(key(path)) ?? []), value(path)]);
  return groups;
}
