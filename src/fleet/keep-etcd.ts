// The etcd of a simulated cluster's own, started again when it dies.

import type { Clock } from '../base/clock.ts';
import { type EtcdBinary, startEtcdBinary } from './etcd-binary.ts';

const RESTART_MS = 1000;

export interface KeptEtcd extends AsyncDisposable {
  readonly endpoint: string;
  readonly pid: number;
}

/** At the same endpoint and on the same data each time. Throws as {@link startEtcdBinary} if the first start fails. */
export async function keepEtcd(options: {
  readonly clock: Clock;
  readonly folder: string;
  readonly binary?: string | undefined;
  readonly onProgress: (what: string) => void;
}): Promise<KeptEtcd> {
  const { clock, folder, binary, onProgress } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  let current: EtcdBinary = await startEtcdBinary({ clock, folder, binary });
  const { endpoint } = current;
  const port = Number(new URL(endpoint).port);
  const keep = async (): Promise<void> => {
    for (;;) {
      const why = await current.ended;
      if (signal.aborted) return;
      onProgress(`etcd has ended (${why}); it is started again`);
      await clock.sleep(RESTART_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        current = await startEtcdBinary({ clock, folder, binary, port });
        onProgress('etcd is back');
      } catch (error) {
        onProgress(`etcd can't be started again: ${(error as Error).message}`);
      }
    }
  };
  const kept = keep();
  return {
    endpoint,
    get pid() {
      return current.pid;
    },
    [Symbol.asyncDispose]: async () => {
      // An end from now on is no death.
      stopping.abort();
      await current[Symbol.asyncDispose]();
      await kept;
    },
  };
}
