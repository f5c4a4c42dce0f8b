import { describe, expect, it } from '@jest/globals';
import type { Link, LinkEffect } from '../../../src/rig/deployment.ts';
import { NO_RULES, rulesOf } from '../../../src/rig/docker/link-rules.ts';

const addressOf = new Map([
  ['a', '10.0.0.1'],
  ['b', '10.0.0.2'],
  ['c', '10.0.0.3'],
]);
const link = (from: string, to: string, effect: LinkEffect): Link => ({ from, to, effect });
const rules = (member: string, links: readonly Link[], delayBy: 'netem' | 'tun' = 'tun') =>
  rulesOf({ member, links, addressOf, delayBy });
const added = (text: string): readonly string[] => text.split('\n').filter((line) => line.startsWith('-A'));

describe('rules of a member', () => {
  it('are none where nothing is broken', () => {
    expect(rules('a', [])).toEqual(NO_RULES);
    expect(rules('c', [link('a', 'b', { does: 'drop' })])).toEqual(NO_RULES);
  });

  it('drop what comes in, and leave what goes out to the other end', () => {
    const links = [link('a', 'b', { does: 'drop' })];
    expect(added(rules('b', links).filter)).toEqual(['-A COBALT-LINKS -s 10.0.0.1 -j DROP']);
    expect(rules('a', links)).toEqual(NO_RULES);
  });

  it('touch no chain but their own, and empty it first', () => {
    expect(NO_RULES.filter).toBe(
      '*filter\n:COBALT-LINKS - [0:0]\nCOMMIT\n*mangle\n:COBALT-LINKS - [0:0]\nCOMMIT\n',
    );
  });

  it('lose by every loss on a link, and by none where all is dropped anyway', () => {
    const losses = [
      link('a', 'b', { does: 'lose', percent: 30 }),
      link('a', 'b', { does: 'lose', percent: 5 }),
    ];
    expect(added(rules('b', losses).filter)).toEqual([
      '-A COBALT-LINKS -s 10.0.0.1 -m statistic --mode random --probability 0.300000 -j DROP',
      '-A COBALT-LINKS -s 10.0.0.1 -m statistic --mode random --probability 0.050000 -j DROP',
    ]);
    expect(added(rules('b', [...losses, link('a', 'b', { does: 'drop' })]).filter)).toHaveLength(1);
  });

  it('reset by packet and by open connection, and let resets pass', () => {
    const { filter, resets } = rules('b', [link('a', 'b', { does: 'reset' })]);
    expect(added(filter)).toEqual([
      '-A COBALT-LINKS -s 10.0.0.1 -p tcp ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset',
    ]);
    expect(resets).toBe('10.0.0.1');
  });

  it('mute answers after handshakes and bare acknowledgements', () => {
    const [handshake, acknowledgement, rest] = added(rules('b', [link('a', 'b', { does: 'mute' })]).filter);
    expect(handshake).toContain('--ctdir REPLY --tcp-flags SYN,ACK,FIN,RST SYN,ACK -j RETURN');
    expect(acknowledgement).toContain('--length 0:80 -j RETURN');
    expect(rest).toBe('-A COBALT-LINKS -s 10.0.0.1 -p tcp -m conntrack --ctdir REPLY -j DROP');
  });

  it('delay what goes out through the sidecar, summed, and not what it sends on', () => {
    const links = [
      link('a', 'b', { does: 'delay', delayMs: 100, jitterMs: 10 }),
      link('a', 'b', { does: 'delay', delayMs: 50, jitterMs: 0 }),
      link('a', 'c', { does: 'delay', delayMs: 7, jitterMs: 0 }),
    ];
    const { filter, delays, shaping } = rules('a', links);
    expect(delays).toBe('10.0.0.2:150:10 10.0.0.3:7:0');
    expect(added(filter)).toEqual([
      '-A COBALT-LINKS -d 10.0.0.2 -m mark ! --mark 0xc0b2 -j MARK --set-mark 0xc0b1',
      '-A COBALT-LINKS -d 10.0.0.3 -m mark ! --mark 0xc0b2 -j MARK --set-mark 0xc0b1',
    ]);
    expect(shaping).toBe('');
  });

  it('limit to the lowest of a link, with a queue of half a second', () => {
    const limits = [8_000, 4_000].map((kbitPerSecond) => link('a', 'b', { does: 'limit', kbitPerSecond }));
    expect(rules('a', limits).shaping).toBe(`qdisc add dev eth0 root handle 1: htb
class add dev eth0 parent 1: classid 1:1 htb rate 4000kbit
qdisc add dev eth0 parent 1:1 bfifo limit 250000
filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.2/32 flowid 1:1
`);
  });

  it('limit and delay with netem where there is one', () => {
    const links = [
      link('a', 'b', { does: 'delay', delayMs: 100, jitterMs: 10 }),
      link('a', 'c', { does: 'delay', delayMs: 5, jitterMs: 0 }),
      link('a', 'c', { does: 'limit', kbitPerSecond: 512 }),
    ];
    const { filter, shaping, delays } = rules('a', links, 'netem');
    expect({ filter, delays }).toEqual({ filter: NO_RULES.filter, delays: '' });
    expect(shaping.split('\n')).toEqual([
      'qdisc add dev eth0 root handle 1: htb',
      'class add dev eth0 parent 1: classid 1:1 htb rate 10gbit',
      'qdisc add dev eth0 parent 1:1 netem limit 10000 delay 100ms 10ms rate 10gbit',
      'filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.2/32 flowid 1:1',
      'class add dev eth0 parent 1: classid 1:2 htb rate 512kbit',
      'qdisc add dev eth0 parent 1:2 netem limit 10000 delay 5ms 0ms rate 10gbit',
      'filter add dev eth0 parent 1: protocol ip prio 1 u32 match ip dst 10.0.0.3/32 flowid 1:2',
      '',
    ]);
  });

  it('wait for those that have no address', () => {
    expect(rules('a', [link('gone', 'a', { does: 'drop' })])).toEqual(NO_RULES);
  });
});
