import { describe, expect, it } from '@jest/globals';
import { exportRulesSchema } from '../../../src/model/export.ts';

const accepted = (...hosts: readonly string[]): boolean =>
  exportRulesSchema.safeParse(hosts.map((host) => ({ host, access: 'rw' }))).success;

describe('the accepted hosts of a volume', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1/32'],
    ['10.0.0.1/8', '10.0.0.0/8'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fd00::A', 'FD00:0::a/128'],
    ['10.0.0.1', '::ffff:10.0.0.1'],
    ['2001:db8::1/64', '2001:db8::/64'],
  ])('have one network once: %s is %s', (one, same) => {
    expect(accepted(one)).toBe(true);
    expect(accepted(same)).toBe(true);
    expect(accepted(one, same)).toBe(false);
  });

  it('may lie within one another', () => {
    expect(accepted('10.0.0.0/8', '10.0.0.0/16', '10.0.0.0', '::ffff:a00:1', '::/0')).toBe(true);
  });

  it.each(['', '*', 'example.org', '10.0.0.1/33', '::1%eth0', 'fd00::/100'])('are none like %j', (host) => {
    expect(accepted(host)).toBe(false);
  });
});
