// Ctrl-C, SIGTERM and a terminal that is closed: the first asks the run to stop and clean up, the second
// ends the process at once, and the reaper cleans up.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

export function catchInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP') outliveTerminal();
    if (controller.signal.aborted) {
      // The shell hangs up, and then the kernel: nobody has asked twice.
      if (name !== 'SIGHUP') process.exit(3);
      return;
    }
    onFirst();
    controller.abort();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

/** What is cleaned up when nobody waits for an interrupt any more must not end by the second. */
function outliveTerminal(): void {
  if (process.listeners('SIGHUP').includes(ignore)) return;
  process.on('SIGHUP', ignore);
}

const ignore = (): void => undefined;
