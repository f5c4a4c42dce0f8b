import { BlockList } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hostMatches } from '../../../../src/rig/checks/hosts.ts';

describe('hostMatches', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['10.0.0.0/24', '10.0.0.255', true],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['0.0.0.0/0', '192.0.2.1', true],
    ['fd00::/8', 'fd12:3456::1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::ffff:10.0.0.1', '::ffff:a00:1', true],
    ['0.0.0.0/0', '::1', false],
    ['nonsense', '10.0.0.1', false],
    ['1::2::3', '1::2', false],
  ])('%s and %s: %s', (host, address, expected) => {
    expect(hostMatches(host, address)).toBe(expected);
  });

  it('agrees with Node.js on any network and address', () => {
    for (const family of ['ipv4', 'ipv6'] as const) {
      const addresses = family === 'ipv4' ? fc.ipV4() : fc.ipV6();
      const bits = fc.integer({ min: 0, max: family === 'ipv4' ? 32 : 128 });
      fc.assert(
        fc.property(addresses, addresses, bits, (network, address, prefix) => {
          const list = new BlockList();
          list.addSubnet(network, prefix, family);
          expect(hostMatches(`${network}/${prefix}`, address)).toBe(list.check(address, family));
          expect(hostMatches(`${network}/${prefix}`, network)).toBe(true);
        }),
      );
    }
  });
});
