import { describe, expect, it } from '@jest/globals';
import { formatNetwork, halves, parseNetwork } from '../../../src/model/network.ts';

describe('hosts', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1/32'],
    ['10.0.0.1/32', '10.0.0.1/32'],
    ['172.17.3.5/16', '172.17.0.0/16'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['255.255.255.255', '255.255.255.255/32'],
    ['::', '0:0:0:0:0:0:0:0/128'],
    ['::1', '0:0:0:0:0:0:0:1/128'],
    ['FD00:0:0::1/8', 'fd00:0:0:0:0:0:0:0/8'],
    ['2001:0db8::0001', '2001:db8:0:0:0:0:0:1/128'],
    ['2001:db8::/64', '2001:db8:0:0:0:0:0:0/64'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8/128'],
    ['64:ff9b::1.2.3.4', '64:ff9b:0:0:0:0:102:304/128'],
    ['::ffff:10.0.0.1', '10.0.0.1/32'],
    ['::ffff:a00:0/104', '10.0.0.0/8'],
    ['::/0', '0:0:0:0:0:0:0:0/0'],
  ])('%s is %s', (host, text) => {
    expect(formatNetwork(parseNetwork(host))).toBe(text);
  });

  it.each([
    '',
    '*',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1/33',
    '10.0.0.1/',
    '10.0.0.1/08',
    '1::2::3',
    '::/129',
    '::1%eth0',
    'a.b.c.d',
    '10.0.0.1/8/8',
    '::1]/x[',
  ])('%j is none', (host) => {
    expect(() => parseNetwork(host)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('has two halves to a block', () => {
    expect(halves(parseNetwork('0.0.0.0/0')).map(formatNetwork)).toEqual(['0.0.0.0/1', '128.0.0.0/1']);
    expect(halves(parseNetwork('::/0')).map(formatNetwork)).toEqual([
      '0:0:0:0:0:0:0:0/1',
      '8000:0:0:0:0:0:0:0/1',
    ]);
  });
});
