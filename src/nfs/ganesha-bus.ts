// Ganesha's export manager, called over the system's D-Bus.
// Source: https://github.com/nfs-ganesha/nfs-ganesha/wiki/Dbusinterface

import { DBusError } from 'dbus-native';
import type { Clock } from '../base/clock.ts';
import { hasCode, RigError } from '../base/errors.ts';
import { readDisplayExport, readShowExports, type ShownExport } from './ganesha-answers.ts';
import type { ServedClients } from './ganesha-config.ts';
import { createSystemBus, NotConnectedError } from './system-bus.ts';

/** Each call throws `unavailable` while the bus or ganesha isn't up, and `io` when ganesha refuses. */
export interface GaneshaBus {
  show(): Promise<readonly ShownExport[]>;
  /** `not_found` if there is no such export. */
  clients(exportId: number): Promise<ServedClients>;
  add(file: string, exportId: number): Promise<void>;
  update(file: string, exportId: number): Promise<void>;
  /** An export that isn't there is fine. */
  remove(exportId: number): Promise<void>;
}

const EXPORT_MANAGER = {
  destination: 'org.ganesha.nfsd',
  path: '/org/ganesha/nfsd/ExportMgr',
  interface: 'org.ganesha.nfsd.exportmgr',
} as const;

const BUSY_INTERVAL_MS = 10;

/** `timeoutMs` is for each call: how long ganesha may take, or be busy with another's call. */
export function createGaneshaBus(options: { readonly clock: Clock; readonly timeoutMs: number }): GaneshaBus {
  const { clock, timeoutMs } = options;
  const bus = createSystemBus({ timeoutMs });

  const callOnce = async (member: string, arguments_: Arguments): Promise<readonly unknown[]> => {
    try {
      return await bus.call({ ...EXPORT_MANAGER, member, ...arguments_ });
    } catch (error) {
      throw busError(member, error);
    }
  };
  // Ganesha takes one change at a time and turns others away. A daemon's own
  // calls are in line already, but those of one that was just killed may run on.
  const call = async (member: string, arguments_: Arguments = {}): Promise<readonly unknown[]> => {
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      try {
        return await callOnce(member, arguments_);
      } catch (error) {
        if (!hasCode(error, 'conflict')) throw error;
        if (clock.monotonicMs() >= deadlineMs) throw new RigError('timeout', error.message, { cause: error });
        await clock.sleep(BUSY_INTERVAL_MS);
      }
    }
  };
  const configure = async (member: string, file: string, exportId: number): Promise<void> => {
    await call(member, { signature: 'ss', body: [file, `EXPORT(Export_Id=${exportId})`] });
  };
  const numbered = (exportId: number): Arguments => ({ signature: 'q', body: [exportId] });

  return {
    show: async () => readShowExports(await call('ShowExports')),
    clients: async (exportId) => readDisplayExport(await call('DisplayExport', numbered(exportId))),
    add: (file, exportId) => configure('AddExport', file, exportId),
    update: (file, exportId) => configure('UpdateExport', file, exportId),
    remove: async (exportId) => {
      try {
        await call('RemoveExport', numbered(exportId));
      } catch (error) {
        if (!hasCode(error, 'not_found')) throw error;
      }
    },
  };
}

interface Arguments {
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** Nobody on the bus is called org.ganesha.nfsd, or it isn't ready yet, or somebody went away. */
const DOWN =
  /^org\.freedesktop\.DBus\.Error\.(ServiceUnknown|NameHasNoOwner|NoReply|NoServer|Disconnected|UnknownObject|UnknownMethod|UnknownInterface)$/;
/** Those of them after which ganesha may have done it all the same. */
const UNANSWERED = /\.(NoReply|Disconnected)$/;

/** What a failed call means. `conflict` stands for "busy, try again". */
export function busError(member: string, error: unknown): RigError {
  const { message } = error as Error;
  const say = (code: 'unavailable' | 'not_found' | 'conflict' | 'io', definite: boolean): RigError =>
    new RigError(code, `ganesha's ${member}: ${message}`, { definite, cause: error });
  if (error instanceof NotConnectedError) return say('unavailable', true);
  if (!(error instanceof DBusError)) return RigError.from(error);
  const name = error.dbusName ?? '';
  if (DOWN.test(name)) return say('unavailable', !UNANSWERED.test(name));
  if (/Export id not found/i.test(message)) return say('not_found', true);
  if (/admin operation is in progress/.test(message)) return say('conflict', true);
  return say('io', false);
}
