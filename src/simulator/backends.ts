// What a process's own backends take of its time.

import type { Clock } from '../base/clock.ts';

/**
 * The port with calls that take time, half of it before their effect and half after, so that a process may end
 * in between. Its functions must answer with promises.
 */
export function slowed<T extends object>(
  port: T,
  { clock, latencyMs }: { readonly clock: Clock; readonly latencyMs: () => number },
): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]) => {
        const ms = latencyMs();
        await clock.sleep(ms / 2);
        const [settled] = await Promise.allSettled([Reflect.apply(value, target, args) as Promise<unknown>]);
        await clock.sleep(ms / 2);
        if (settled.status === 'rejected') throw settled.reason;
        return settled.value;
      };
    },
  });
}
