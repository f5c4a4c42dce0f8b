// What is to happen to a member's packets, as the input of the kernel's tools. Pure.
//
// What is lost or reset is so where it arrives: a packet that its own kernel drops
// is an error that the sender's TCP is told of, and a network tells nobody. What is
// delayed or limited is so where it is sent.

import type { Link, LinkEffect } from '../deployment.ts';

/** Arguments of images/links/apply.sh; the same text for the same links. */
export interface MemberRules {
  /** For iptables-restore. */
  readonly filter: string;
  /** For `tc -batch`; empty for none. */
  readonly shaping: string;
  /** For the sidecar: `<address>:<delayMs>:<jitterMs>`, separated by spaces. */
  readonly delays: string;
  /** Addresses, separated by spaces: connections with these are ended, which by themselves might stay quiet for long. */
  readonly resets: string;
}

const CHAIN = 'COBALT-LINKS';
/** As in images/links/sidecar.pl: packets to be delayed, and those that were. */
const CAUGHT = '0xc0b1';
const SENT_ON = '0xc0b2';

/** Longer than any TCP packet without data: both headers with all their options. */
const LONGEST_WITHOUT_DATA = 80;
/** Of a link that is delayed and not limited. */
const UNLIMITED = '10gbit';
/** A queue holds what a limited link sends in this time, and no less than this. */
const QUEUE_MS = 500;
const SMALLEST_QUEUE_BYTES = 128 * 1024;

export const NO_RULES: MemberRules = { filter: filterText([], []), shaping: '', delays: '', resets: '' };

/**
 * `addressOf` knows the members that have an address now; links of others wait.
 * `delayBy`: netem where the kernel has it, else the sidecar's TUN device.
 */
export function rulesOf(options: {
  readonly member: string;
  readonly links: readonly Link[];
  readonly addressOf: ReadonlyMap<string, string>;
  readonly delayBy: 'netem' | 'tun';
}): MemberRules {
  const { member, links, addressOf, delayBy } = options;
  const sides = (own: 'from' | 'to', peer: 'from' | 'to'): readonly Peer[] =>
    [...addressOf].flatMap(([name, address]) => {
      const effects = links.filter((link) => link[own] === member && link[peer] === name);
      return effects.length === 0 ? [] : [{ address, effects: effects.map(({ effect }) => effect) }];
    });
  const incoming = sides('to', 'from');
  const out = sides('from', 'to').map(outgoing);
  const slow = out.filter(({ delayMs, jitterMs }) => delayMs > 0 || jitterMs > 0);
  const byTun = delayBy === 'tun' ? slow : [];
  const shaped = out.filter(
    (peer) => peer.kbitPerSecond !== undefined || (delayBy === 'netem' && slow.includes(peer)),
  );
  return {
    filter: filterText(
      incoming.flatMap(incomingRules),
      byTun.map(({ address }) => `-d ${address} -m mark ! --mark ${SENT_ON} -j MARK --set-mark ${CAUGHT}`),
    ),
    shaping: shapingText(shaped, delayBy),
    delays: byTun.map(({ address, delayMs, jitterMs }) => `${address}:${delayMs}:${jitterMs}`).join(' '),
    resets: incoming
      .filter(({ effects }) => has(effects, 'reset'))
      .map(({ address }) => address)
      .join(' '),
  };
}

interface Peer {
  readonly address: string;
  readonly effects: readonly LinkEffect[];
}

interface Outgoing {
  readonly address: string;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly kbitPerSecond: number | undefined;
}

function outgoing({ address, effects }: Peer): Outgoing {
  const delays = effects.filter((effect) => effect.does === 'delay');
  const limits = effects.flatMap((effect) => (effect.does === 'limit' ? [effect.kbitPerSecond] : []));
  return {
    address,
    delayMs: delays.reduce((sum, { delayMs }) => sum + delayMs, 0),
    jitterMs: delays.reduce((sum, { jitterMs }) => sum + jitterMs, 0),
    kbitPerSecond: limits.length === 0 ? undefined : Math.min(...limits),
  };
}

function incomingRules({ address, effects }: Peer): readonly string[] {
  if (has(effects, 'drop')) return [`-s ${address} -j DROP`];
  const losses = effects.flatMap((effect) => (effect.does === 'lose' ? [effect.percent] : []));
  const tcp = `-s ${address} -p tcp`;
  // Whatever goes to the side that opened the connection.
  const answer = `${tcp} -m conntrack --ctdir REPLY`;
  return [
    ...losses.map(
      (percent) =>
        `-s ${address} -m statistic --mode random --probability ${(percent / 100).toFixed(6)} -j DROP`,
    ),
    // A reset that is answered with a reset would never arrive.
    ...(has(effects, 'reset') ? [`${tcp} ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset`] : []),
    ...(has(effects, 'mute')
      ? [
          `${answer} --tcp-flags SYN,ACK,FIN,RST SYN,ACK -j RETURN`,
          `${answer} --tcp-flags SYN,ACK,FIN,RST,PSH ACK -m length --length 0:${LONGEST_WITHOUT_DATA} -j RETURN`,
          `${answer} -j DROP`,
        ]
      : []),
  ];
}

const has = (effects: readonly LinkEffect[], does: LinkEffect['does']): boolean =>
  effects.some((effect) => effect.does === does);

function filterText(incoming: readonly string[], outgoing: readonly string[]): string {
  const table = (name: string, rules: readonly string[]): string =>
    [`*${name}`, `:${CHAIN} - [0:0]`, ...rules.map((rule) => `-A ${CHAIN} ${rule}`), 'COMMIT', ''].join('\n');
  return table('filter', incoming) + table('mangle', outgoing);
}

/** What no class is for passes as ever. */
function shapingText(peers: readonly Outgoing[], delayBy: 'netem' | 'tun'): string {
  if (peers.length === 0) return '';
  const classes = peers.flatMap((peer, index) => {
    // Hexadecimal, as tc reads them.
    const minor = (index + 1).toString(16);
    const rate = peer.kbitPerSecond === undefined ? UNLIMITED : `${peer.kbitPerSecond}kbit`;
    return [
      `class add dev eth0 parent 1: classid 1:${minor} htb rate ${rate}`,
      `qdisc add dev eth0 parent 1:${minor} ${delayBy === 'netem' ? netem(peer) : queue(peer)}`,
      `filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dst ${peer.address}/32 flowid 1:${minor}`,
    ];
  });
  return ['qdisc add dev eth0 root handle 1: htb', ...classes, ''].join('\n');
}

// With a rate of its own netem keeps packets in their order, whatever the jitter.
const netem = ({ delayMs, jitterMs }: Outgoing): string =>
  `netem limit 10000 delay ${delayMs}ms ${jitterMs}ms rate ${UNLIMITED}`;

const queue = ({ kbitPerSecond = 0 }: Outgoing): string =>
  `bfifo limit ${Math.max(SMALLEST_QUEUE_BYTES, Math.ceil((kbitPerSecond * QUEUE_MS) / 8))}`;
