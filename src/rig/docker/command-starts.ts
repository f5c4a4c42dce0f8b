// Commands that are just being started in containers, which a freeze must not meet. The engine would wait for a
// command that cannot start before the container is thawed, and would keep the container locked meanwhile, so that
// it can't be thawed either, nor removed.

import type Docker from 'dockerode';
import type { Clock } from '../../base/clock.ts';
import { waitFor } from '../../base/retry.ts';

/** Long enough for any start; what takes longer hangs for another reason. */
const STARTS_WITHIN_MS = 15_000;

type Exec = Pick<Docker.Exec, 'inspect'>;

/** The containers of one cluster, as far as this process works on them. */
export interface CommandStarts {
  /** Runs `work`, which starts a command and tells of it by `made`, when no freeze of the container is under way. */
  command<T>(service: string, work: (made: (exec: Exec) => void) => Promise<T>): Promise<T>;
  /** Runs `work` when no command is about to start in the container. Throws `timeout` when one goes on being about to. */
  freeze(service: string, work: () => Promise<void>): Promise<void>;
}

interface Command {
  readonly service: string;
  exec?: Exec;
}

export function createCommandStarts(clock: Clock): CommandStarts {
  const commands = new Set<Command>();
  const freezes = new Map<string, Promise<void>>();

  const hasStarted = async (command: Command): Promise<boolean> =>
    !commands.has(command) || (command.exec !== undefined && (await command.exec.inspect()).Pid > 0);

  const startAll = async (service: string): Promise<void> => {
    for (const command of [...commands].filter((one) => one.service === service)) {
      await waitFor({
        clock,
        what: `a command to start in ${service}`,
        timeoutMs: STARTS_WITHIN_MS,
        intervalMs: 20,
        probe: async () => ((await hasStarted(command)) ? true : undefined),
      });
    }
  };

  return {
    command: async (service, work) => {
      while (freezes.has(service)) await freezes.get(service);
      const command: Command = { service };
      commands.add(command);
      try {
        return await work((exec) => {
          command.exec = exec;
        });
      } finally {
        commands.delete(command);
      }
    },
    freeze: async (service, work) => {
      const over = Promise.withResolvers<void>();
      freezes.set(service, over.promise);
      try {
        await startAll(service);
        await work();
      } finally {
        freezes.delete(service);
        over.resolve();
      }
    },
  };
}
