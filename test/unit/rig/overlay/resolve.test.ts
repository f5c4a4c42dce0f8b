import { expect, it } from '@jest/globals';
import { createResolve } from '../../../../src/rig/overlay/resolve.ts';

it.each(['127.0.0.1', '::1'])('takes the address %s as it is, without asking anybody', async (address) => {
  expect(await createResolve()(address)).toBe(address);
});
