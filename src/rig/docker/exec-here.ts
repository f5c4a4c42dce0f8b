// A command in a container whose input and output are this process's own: Docker's
// command line knows how to do that with a terminal.

import { execa } from 'execa';

/** Resolves to the command's exit code. */
export async function execHere(container: string, command: readonly string[]): Promise<number> {
  const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const how = isTerminal ? ['--interactive', '--tty'] : ['--interactive'];
  const { exitCode, signal } = await execa('docker', ['exec', ...how, container, ...command], {
    stdio: 'inherit',
    reject: false,
  });
  return exitCode ?? (signal === undefined ? 1 : 130);
}
