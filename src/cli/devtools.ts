// The DevTools protocol of a browser: commands and their answers, and events, over
// one WebSocket.

import { RigError } from '../base/errors.ts';

interface Message {
  readonly id?: number;
  /** The page that an event is of. */
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

export type DevTools = Awaited<ReturnType<typeof connectDevTools>>;

/** Resolves once it is connected; a command that gets an error for its answer throws. */
export async function connectDevTools(address: string) {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Set<(message: Message) => void>();
  const gone = new Set<(why: Error) => void>();
  let last = 0;
  socket.onclose = () => {
    for (const reject of gone) reject(new RigError('machine', 'the browser is gone'));
  };
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) for (const listener of listeners) listener(message);
    else waiting.get(message.id)?.(message);
  };
  return {
    listeners,
    send: (
      method: string,
      params: object = {},
      sessionId?: string,
    ): Promise<Readonly<Record<string, unknown>>> => {
      last += 1;
      const id = last;
      const answer = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
        waiting.set(id, ({ result, error }) => {
          waiting.delete(id);
          gone.delete(reject);
          if (error === undefined) resolve(result ?? {});
          else reject(new RigError('machine', `${method}: ${error.message}`));
        });
        gone.add(reject);
      });
      socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
      return answer;
    },
  };
}
