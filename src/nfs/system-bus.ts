// The system's D-Bus: one connection, which is made by the first call and again by the first one after it was lost,
// or after a call on it that nobody answered.

import { createConnection } from 'node:net';
import { createClient, type MessageBus, TimeoutError } from 'dbus-native';

const SOCKET = '/run/dbus/system_bus_socket';

/** What is asked of whom; `body` has the arguments, whose types `signature` tells. */
export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

export interface SystemBus {
  /**
   * The values of the answer. Rejects with a DBusError that has a `dbusName`, also
   * where nobody answered in time or the connection was lost: whether the call had
   * an effect isn't known then. A NotConnectedError: it was not even made.
   */
  call(call: BusCall): Promise<readonly unknown[]>;
}

/** The bus itself can't be reached, or lets nobody in. */
export class NotConnectedError extends Error {}

interface Connection {
  readonly bus: MessageBus;
  /** Rejects with a NotConnectedError. */
  readonly ready: Promise<unknown>;
  /** The next call makes another one. */
  end(): void;
}

/**
 * `timeoutMs` is for each call, and for making the connection. It holds no process open. `socket` is that of the
 * system's bus by default.
 */
export function createSystemBus(options: {
  readonly timeoutMs: number;
  readonly socket?: string;
}): SystemBus {
  const { timeoutMs, socket = SOCKET } = options;
  let current: Connection | undefined;

  const connect = (): Connection => {
    const stream = createConnection(socket).unref();
    // `direct`: or it would greet the bus by itself, and throw at nobody when that fails.
    const bus = createClient({ stream, direct: true, authMethods: ['EXTERNAL'] });
    const end = (): void => {
      if (current?.bus === bus) current = undefined;
      stream.destroy();
    };
    let lastError: Error | undefined;
    bus.connection.on('error', (error: Error) => {
      lastError = error;
      end();
    });
    stream.once('end', end).once('close', end);
    const ready = invoke(bus, HELLO, timeoutMs).catch((error: Error) => {
      end();
      const said = lastError ?? error;
      throw new NotConnectedError(`no connection to ${socket}: ${said.message}`, { cause: said });
    });
    return { bus, ready, end };
  };

  return {
    call: async (call) => {
      current ??= connect();
      const { bus, ready, end } = current;
      await ready;
      try {
        return await invoke(bus, call, timeoutMs);
      } catch (error) {
        // The bus goes on waiting for the answer, and has a connection wait for 128 at most.
        if (error instanceof TimeoutError) end();
        throw error;
      }
    },
  };
}

const HELLO: BusCall = {
  destination: 'org.freedesktop.DBus',
  path: '/org/freedesktop/DBus',
  interface: 'org.freedesktop.DBus',
  member: 'Hello',
};

/** By its callback, because its promise gives a single value that is an array no other look than several values. */
function invoke(bus: MessageBus, call: BusCall, timeoutMs: number): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    bus.invoke({ ...call, body: [...(call.body ?? [])] }, { timeout: timeoutMs }, (error, ...values) => {
      if (error) reject(error);
      else resolve(values);
    });
  });
}
