// HAProxy's runtime API (management guide, "Unix Socket commands"): a connection a command, the answer is text.

import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Clock } from '../../base/clock.ts';
import { RigError } from '../../base/errors.ts';

const ANSWER_WITHIN_MS = 2_000;

export type Ask = (command: string) => Promise<string>;

/** Rejects with `unavailable` when HAProxy can't be reached or says nothing in time, and with `invalid` for more than a line. */
export function createAsk({ path, clock }: { readonly path: string; readonly clock: Clock }): Ask {
  return async (command) => {
    // A semicolon separates commands, a line break ends the last.
    if (/[\n\r;\\<]/.test(command)) throw new RigError('invalid', 'more than one command at a time');
    const socket = connect({ path });
    const cancel = clock.after(ANSWER_WITHIN_MS, () =>
      socket.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)),
    );
    try {
      socket.write(`${command}\n`);
      return await text(socket);
    } catch (cause) {
      throw new RigError('unavailable', `HAProxy does not answer '${command}': ${(cause as Error).message}`, {
        definite: false,
        cause,
      });
    } finally {
      cancel();
      socket.destroy();
    }
  };
}
