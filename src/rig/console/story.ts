// What has happened, as sentences: from one state of the console to the next.

import type { Item, Items, LeaderItem, MemberItem, OrderItem, VolumeItem } from './items.ts';

export interface StoryLine {
  readonly atMs: number;
  readonly tone: 'good' | 'bad' | 'doubtful' | 'plain';
  readonly text: string;
}

type Told = Omit<StoryLine, 'atMs'>;

export interface Story {
  readonly lines: readonly StoryLine[];
  /** Answers with what is new. */
  follow(change: {
    readonly before: Items;
    readonly after: Items;
    readonly atMs: number;
  }): readonly StoryLine[];
}

/** Older ones are forgotten. */
const MOST_LINES = 200;

export function createStory(mostLines = MOST_LINES): Story {
  const lines: StoryLine[] = [];
  // When whoever leads, or has led last, was first seen to be in trouble; a failover is counted from there.
  let hit: { readonly node: string; readonly atMs: number } | undefined;
  let lastLeader: string | undefined;
  return {
    lines,
    follow: ({ before, after, atMs }) => {
      const told: Told[] = [];
      // The first state is no news.
      const isNews = before.cluster !== undefined && before.etcd !== undefined;
      const ids = [...new Set([...Object.keys(after), ...Object.keys(before)])];
      for (const id of ids.filter((one) => one !== 'leader')) {
        if (before[id] !== after[id] && isNews) told.push(...newsOf(before[id], after[id]));
      }
      const leader = leaderOf(after);
      lastLeader = leaderOf(before)?.node ?? lastLeader;
      if (lastLeader !== undefined && hit?.node !== lastLeader && isHit(lastLeader, after))
        hit = { node: lastLeader, atMs };
      if (isNews)
        told.push(
          ...newsOfLeader(leaderOf(before), leader, hit && { node: hit.node, agoMs: atMs - hit.atMs }),
        );
      if (leader !== undefined && (leader.node !== hit?.node || !isHit(leader.node, after))) hit = undefined;
      const fresh = told.map((one) => ({ atMs, ...one }));
      lines.push(...fresh);
      lines.splice(0, lines.length - mostLines);
      return fresh;
    },
  };
}

const leaderOf = (items: Items): LeaderItem | undefined => items.leader as LeaderItem | undefined;

/** Whether anything was done to that node, or is wrong with what makes it lead. */
function isHit(name: string, items: Items): boolean {
  const member = items[`member:${name}`] as MemberItem | undefined;
  const engine = member?.roles.engine;
  if (member !== undefined && ['frozen', 'down', 'absent', 'off'].includes(member.state)) return true;
  if (engine === 'frozen' || engine === 'down') return true;
  return Object.values(items).some((item) => item.is === 'owed' && item.members.includes(name));
}

/** Of the leader's key. `hit`: whoever led, where something was done to it, and how long ago. */
export function newsOfLeader(
  before: LeaderItem | undefined,
  after: LeaderItem | undefined,
  hit?: { readonly node: string; readonly agoMs: number },
): readonly Told[] {
  if (before?.term === after?.term) return [];
  if (after === undefined)
    return [{ tone: 'doubtful', text: `${before?.node} leads no more: its key is gone, and nobody leads` }];
  const later = hit === undefined ? '' : `, ${(hit.agoMs / 1_000).toFixed(1)} s after ${hit.node} was hit`;
  return [{ tone: 'good', text: `${after.node} leads (term ${after.term})${later}` }];
}

function newsOf(before: Item | undefined, after: Item | undefined): readonly Told[] {
  const either = after ?? before;
  if (either?.is === 'member')
    return memberNews(before as MemberItem | undefined, after as MemberItem | undefined);
  if (either?.is === 'volume')
    return newsOfVolume(before as VolumeItem | undefined, after as VolumeItem | undefined);
  if (after?.is === 'order') return orderNews(after);
  if (after?.is === 'etcd' && before?.is === 'etcd') {
    if (before.stale === null && after.stale !== null) return [{ tone: 'bad', text: 'etcd does not answer' }];
    if (before.stale !== null && after.stale === null) return [{ tone: 'good', text: 'etcd answers again' }];
  }
  if (after?.is === 'cluster' && before?.is === 'cluster' && before.gone === null && after.gone !== null)
    return [
      {
        tone: 'bad',
        text: `cluster ${after.gone.isUnreachable === true ? 'out of reach' : 'gone'}: ${after.gone.why}`,
      },
    ];
  return [];
}

const STATES: Readonly<Record<MemberItem['state'], Told>> = {
  running: { tone: 'good', text: 'runs' },
  frozen: { tone: 'doubtful', text: 'is frozen' },
  down: { tone: 'bad', text: 'is down' },
  absent: { tone: 'bad', text: 'is gone' },
  off: { tone: 'bad', text: 'has no power' },
  unknown: { tone: 'plain', text: 'is known by etcd alone' },
};

function memberNews(before: MemberItem | undefined, after: MemberItem | undefined): readonly Told[] {
  if (after === undefined) return [{ tone: 'doubtful', text: `${before?.name} is no member any more` }];
  const { name } = after;
  if (before === undefined) return [{ tone: 'good', text: `${name} is a new member` }];
  const told: Told[] = [];
  if (before.state !== after.state) {
    const { tone, text } = STATES[after.state];
    told.push({ tone, text: `${name} ${text}` });
  } else {
    for (const [role, condition] of Object.entries(after.roles)) {
      const was = before.roles[role as keyof typeof before.roles];
      if (was === condition || was === undefined) continue;
      const { tone, text } = STATES[condition];
      told.push({ tone, text: `${role} of ${name} ${text}` });
    }
  }
  if (before.node?.registered === true && after.node?.registered !== true)
    told.push({ tone: 'doubtful', text: `the agent of ${name} holds no lease any more` });
  if (before.node?.registered === false && after.node?.registered === true)
    told.push({ tone: 'good', text: `the agent of ${name} is registered again` });
  if (after.node !== null && before.node?.disk !== after.node.disk && after.node.disk !== null)
    told.push({ tone: 'bad', text: `the disk of ${name}: ${after.node.disk}` });
  return told;
}

export function newsOfVolume(before: VolumeItem | undefined, after: VolumeItem | undefined): readonly Told[] {
  if (after === undefined) return [{ tone: 'plain', text: `volume ${before?.name} is gone` }];
  const where = after.node === null ? '' : ` on ${after.node}`;
  if (before === undefined)
    return [{ tone: 'plain', text: `volume ${after.name} is there: ${after.state}${where}` }];
  if (after.error !== null && after.error !== before.error)
    return [{ tone: 'bad', text: `volume ${after.name}: ${after.error}` }];
  if (before.state === after.state && before.node === after.node) return [];
  const tone = after.state === 'ready' ? 'good' : after.state === 'error' ? 'bad' : 'plain';
  const state = before.state === after.state ? after.state : `${before.state} → ${after.state}`;
  return [{ tone, text: `volume ${after.name}: ${state}${where}` }];
}

const ORDER_TONES = { done: 'good', doubtful: 'doubtful', failed: 'bad' } as const;

function orderNews({ state, what, told }: OrderItem): readonly Told[] {
  if (state === 'under way' || state === 'waiting') return [];
  return [{ tone: ORDER_TONES[state], text: state === 'failed' ? `${what}: ${told}` : told }];
}
