// Where a callback may lead, however it is spelled.

import { expect, it } from '@jest/globals';
import {
  isForbiddenAddress,
  isOwnAddress,
  leadsToOwnHost,
  misfitOfCallback,
} from '../../../src/model/subscription.ts';

it.each([
  '169.254.169.254',
  '::ffff:169.254.0.1',
  'fe80::1%eth0',
  '[fe80::1]',
  'fd00:ec2::254',
  '64:ff9b::169.254.169.254',
  '0.0.0.0',
  '::',
  '224.0.0.1',
  '255.255.255.255',
])('no callback goes to %s', (address) => {
  expect(isForbiddenAddress(address)).toBe(true);
});

it.each(['10.0.0.1', '127.0.0.1', '::1', '2001:db8::1', '169.253.255.255', 'consumer.test'])(
  'a callback may go to %s',
  (address) => {
    expect(isForbiddenAddress(address)).toBe(false);
  },
);

it.each([
  '127.0.0.1',
  '127.255.0.1',
  '::1',
  '::ffff:127.0.0.1',
  '::127.0.0.1',
  '2002:7f00:1::1',
  '64:ff9b:1::1',
])('%s may lead to whoever calls it', (address) => {
  expect(isOwnAddress(address)).toBe(true);
});

it('a callback says that it leads to its own host, or is taken at its word', () => {
  const own = ['http://localhost/', 'http://x.LOCALHOST.:80/', 'http://2130706433/', 'https://[::1]:1/a'];
  const others = [
    'http://consumer.test/localhost',
    'http://notlocalhost/',
    'http://10.0.0.1/',
    'http://[2001:db8::1]/',
  ];
  expect([...own, ...others].map(leadsToOwnHost)).toEqual([
    ...own.map(() => true),
    ...others.map(() => false),
  ]);
});

it.each(['http://consumer.test', 'https://[2001:db8::1]:8443/a/b?c=d%20e', 'http://127.0.0.1:1/'])(
  '%s may be a callback',
  (url) => {
    expect(misfitOfCallback(url)).toBeUndefined();
  },
);

it.each([
  'http://a@b/',
  'http://consumer.test/#',
  'javascript:alert(1)',
  'http://',
  '//consumer.test/',
  'http://ü/',
])('%s may not be a callback', (url) => {
  expect(misfitOfCallback(url)).toMatch(/^must /);
});
