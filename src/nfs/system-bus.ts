// The system's D-Bus: one connection, which is made by the first call and again by the first one after it was lost.

import { createConnection } from 'node:net';
import { createClient, type MessageBus } from 'dbus-native';

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

/** `timeoutMs` is for each call, and for making the connection. It holds no process open. */
export function createSystemBus(options: { readonly timeoutMs: number }): SystemBus {
  const { timeoutMs } = options;
  let connected: Promise<MessageBus> | undefined;

  const connect = async (): Promise<MessageBus> => {
    const stream = createConnection(SOCKET).unref();
    // `direct`: or it would greet the bus by itself, and throw at nobody when that fails.
    const bus = createClient({ stream, direct: true, authMethods: ['EXTERNAL'] });
    let lastError: Error | undefined;
    bus.connection.on('error', (error: Error) => {
      lastError = error;
      stream.destroy();
    });
    stream.once('close', () => {
      connected = undefined;
    });
    try {
      await invoke(bus, HELLO, timeoutMs);
      return bus;
    } catch (error) {
      stream.destroy();
      const said = lastError ?? (error as Error);
      throw new NotConnectedError(`no connection to ${SOCKET}: ${said.message}`, { cause: said });
    }
  };

  return {
    call: async (call) => {
      connected ??= connect();
      return invoke(await connected, call, timeoutMs);
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
