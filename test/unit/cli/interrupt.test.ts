import { afterEach, expect, it, jest } from '@jest/globals';
import { catchInterrupt } from '../../../src/cli/interrupt.ts';

afterEach(() => {
  jest.restoreAllMocks();
  process.removeAllListeners('SIGHUP');
});

const exits = () =>
  jest.spyOn(process, 'exit').mockImplementation(((code: number) => code) as unknown as typeof process.exit);

it('stops at the first Ctrl-C, and ends at the second', () => {
  const exit = exits();
  const onFirst = jest.fn();
  using interrupt = catchInterrupt(onFirst);
  process.emit('SIGINT', 'SIGINT');
  expect(interrupt.signal.aborted).toBe(true);
  expect(onFirst).toHaveBeenCalledTimes(1);
  expect(exit).not.toHaveBeenCalled();
  process.emit('SIGINT', 'SIGINT');
  expect(exit).toHaveBeenCalledWith(3);
  expect(onFirst).toHaveBeenCalledTimes(1);
});

it('cleans up when a terminal is closed, of which the shell tells, and then the kernel', () => {
  const exit = exits();
  {
    using interrupt = catchInterrupt(() => undefined);
    process.emit('SIGHUP', 'SIGHUP');
    process.emit('SIGHUP', 'SIGHUP');
    expect(interrupt.signal.aborted).toBe(true);
  }
  expect(exit).not.toHaveBeenCalled();
  // Without anybody who hears it, it ends the process, in the middle of what is still done.
  expect(process.emit('SIGHUP', 'SIGHUP')).toBe(true);
});
