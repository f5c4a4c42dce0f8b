// Whether anybody listens at a port, so that a relay to it refuses connections when the
// port itself would.

import { connect } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Endpoint } from './endpoint.ts';

const LOOK_EVERY_MS = 50;

export interface PortWatch extends Disposable {
  /** Looks now, not only when its time has come: somebody has noticed something. */
  look(): void;
  /** Tells when it has seen for the first time whether anybody does, and whenever that has changed. */
  onChange(callback: (isOpen: boolean) => void): void;
}

export function watchPort(clock: Clock, port: Endpoint): PortWatch {
  const callbacks: ((isOpen: boolean) => void)[] = [];
  let isOpen: boolean | undefined;
  let isOver = false;
  let isLooking = false;
  let cancel = (): void => undefined;
  const found = (open: boolean): void => {
    isLooking = false;
    if (isOver) return;
    if (open !== isOpen) {
      isOpen = open;
      for (const callback of callbacks) callback(open);
    }
    // Whoever listens ends with a connection broken off, which is noticed by whoever has it.
    if (!open) cancel = clock.after(LOOK_EVERY_MS, look);
  };
  const look = (): void => {
    if (isLooking || isOver) return;
    isLooking = true;
    cancel();
    const probe = connect({ ...port });
    probe.once('connect', () => {
      probe.destroy();
      found(true);
    });
    probe.once('error', () => found(false));
  };
  look();
  return {
    look,
    onChange: (callback) => {
      callbacks.push(callback);
      if (isOpen !== undefined) callback(isOpen);
    },
    [Symbol.dispose]: () => {
      isOver = true;
      cancel();
    },
  };
}
