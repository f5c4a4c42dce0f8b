import { expect, it } from '@jest/globals';
import { createCommandStarts } from '../../../src/rig/docker/command-starts.ts';
import { createManualClock } from '../../support/manual-clock.ts';

/** A command in node1 that starts, and ends, when the test says so. */
function setUp() {
  const clock = createManualClock();
  const starts = createCommandStarts(clock);
  const done: string[] = [];
  const command = (service: string) => {
    const end = Promise.withResolvers<void>();
    const state = { Pid: 0 };
    const ended = starts.command(service, async (made) => {
      done.push(`${service} begins a command`);
      made({ inspect: async () => state } as Parameters<typeof made>[0]);
      await end.promise;
    });
    return { state, end: end.resolve, ended };
  };
  const freeze = (service: string) =>
    starts.freeze(service, async () => void done.push(`${service} is frozen`));
  return { clock, starts, done, command, freeze };
}

it('freezes a container no sooner than a command has started in it, or ended', async () => {
  for (const over of ['started', 'ended'] as const) {
    const { clock, done, command, freeze } = setUp();
    const { state, end } = command('node1');
    const frozen = freeze('node1');
    await clock.advance(5_000);
    expect(done).toEqual(['node1 begins a command']);
    if (over === 'started') state.Pid = 42;
    else end();
    await clock.advance(20);
    await frozen;
    expect(done).toEqual(['node1 begins a command', 'node1 is frozen']);
  }
});

it('begins no command while the container is being frozen, and does in others', async () => {
  const { clock, starts, done, command } = setUp();
  const freezing = Promise.withResolvers<void>();
  const frozen = starts.freeze('node1', () => freezing.promise);
  command('node1');
  command('node2');
  await clock.settle();
  expect(done).toEqual(['node2 begins a command']);
  freezing.resolve();
  await frozen;
  await clock.settle();
  expect(done).toEqual(['node2 begins a command', 'node1 begins a command']);
});

it('gives a freeze up when a command goes on being about to start, and lets others begin', async () => {
  const { clock, done, command, freeze } = setUp();
  command('node1');
  const frozen = freeze('node1');
  const failed = expect(frozen).rejects.toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('a command to start in node1'),
  });
  await clock.advance(20_000);
  await failed;
  command('node1');
  await clock.settle();
  expect(done).toEqual(['node1 begins a command', 'node1 begins a command']);
});
