// What a node's modelled hardware does while the node goes on: frozen with it, and not
// done any more when it has ended.

import type { Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import type { NfsHost } from '../hardware/consumer.ts';

/** From one start of a node to its end. */
export interface Life {
  readonly work: NfsHost['work'];
  freeze(): void;
  thaw(): void;
  end(): void;
}

export function beginLife(clock: Clock, node: string): Life {
  const over = Promise.withResolvers<never>();
  over.promise.catch(() => undefined);
  let isOver = false;
  let frozen: PromiseWithResolvers<void> | undefined;
  const goingOn = async (): Promise<void> => {
    while (frozen !== undefined) await frozen.promise;
    if (isOver) await new Promise<never>(() => {});
  };
  const thaw = (): void => {
    frozen?.resolve();
    frozen = undefined;
  };
  return {
    work: async (work) => {
      const sleep = async (ms: number): Promise<void> => {
        await clock.sleep(ms);
        await goingOn();
      };
      return Promise.race([over.promise, goingOn().then(() => work(sleep))]);
    },
    freeze: () => {
      frozen ??= Promise.withResolvers();
    },
    thaw,
    end: () => {
      isOver = true;
      thaw();
      over.reject(new RigError('unavailable', `${node} has ended`, { definite: false }));
    },
  };
}
