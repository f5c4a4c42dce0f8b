// Ctrl-C, SIGTERM and a terminal that is closed: the first asks the run to stop and clean up, the second
// ends the process at once, and the reaper cleans up.

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
}

export function catchInterrupt(onFirst: () => void): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(3);
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
