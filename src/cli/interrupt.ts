// Ctrl-C and SIGTERM: the first asks the run to stop and clean up, the second
// ends the process at once, and the reaper cleans up.

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
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
  };
}
