// Ganesha's export manager, called over the system's D-Bus with dbus-send.
// Source: https://github.com/nfs-ganesha/nfs-ganesha/wiki/Dbusinterface

import type { Clock } from '../base/clock.ts';
import { runCommand } from '../base/command.ts';
import { hasCode, RigError } from '../base/errors.ts';
import type { ServedClients } from './ganesha-config.ts';
import { parseDisplayExport, parseShowExports, type ShownExport } from './ganesha-output.ts';

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

const BUSY_INTERVAL_MS = 10;

/** `timeoutMs` is for each call: how long ganesha may take, or be busy with another's call. */
export function createGaneshaBus(options: { readonly clock: Clock; readonly timeoutMs: number }): GaneshaBus {
  const { clock, timeoutMs } = options;

  const callOnce = async (method: string, args: readonly string[]): Promise<string> => {
    const target = ['--dest=org.ganesha.nfsd', '/org/ganesha/nfsd/ExportMgr'];
    const flags = ['--system', '--print-reply', `--reply-timeout=${timeoutMs}`];
    const command = [...flags, ...target, `org.ganesha.nfsd.exportmgr.${method}`, ...args];
    try {
      return await runCommand({ file: 'dbus-send', args: command, timeoutMs: timeoutMs + 1000 });
    } catch (error) {
      throw busError(method, RigError.from(error));
    }
  };
  // Ganesha takes one change at a time and turns others away. A daemon's own
  // calls are in line already, but those of one that was just killed may run on.
  const call = async (method: string, ...args: readonly string[]): Promise<string> => {
    const deadlineMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      try {
        return await callOnce(method, args);
      } catch (error) {
        if (!hasCode(error, 'conflict')) throw error;
        if (clock.monotonicMs() >= deadlineMs) throw new RigError('timeout', error.message, { cause: error });
        await clock.sleep(BUSY_INTERVAL_MS);
      }
    }
  };
  const configure = async (method: string, file: string, exportId: number): Promise<void> => {
    await call(method, `string:${file}`, `string:EXPORT(Export_Id=${exportId})`);
  };

  return {
    show: async () => parseShowExports(await call('ShowExports')),
    clients: async (exportId) => parseDisplayExport(await call('DisplayExport', `uint16:${exportId}`)),
    add: (file, exportId) => configure('AddExport', file, exportId),
    update: (file, exportId) => configure('UpdateExport', file, exportId),
    remove: async (exportId) => {
      try {
        await call('RemoveExport', `uint16:${exportId}`);
      } catch (error) {
        if (!hasCode(error, 'not_found')) throw error;
      }
    },
  };
}

/** No bus, or nobody on it who is called org.ganesha.nfsd, or one that went away. */
const DOWN =
  /Failed to (open connection|connect)|DBus\.Error\.(ServiceUnknown|NameHasNoOwner|NoReply|NoServer|Disconnected|UnknownObject|UnknownMethod|UnknownInterface)/;

/** What a failed dbus-send means. `conflict` stands for "busy, try again". */
export function busError(method: string, error: RigError): RigError {
  const text = error.message.replace(/^.*?: (?=Error |Failed )/s, '');
  const say = (code: 'unavailable' | 'not_found' | 'conflict' | 'io', definite: boolean): RigError =>
    new RigError(code, `ganesha's ${method}: ${text.trim()}`, { definite, cause: error });
  if (error.code === 'timeout') return say('unavailable', false);
  if (error.code !== 'io') return error;
  if (DOWN.test(text)) return say('unavailable', !/NoReply|Disconnected/.test(text));
  if (/Export id not found/i.test(text)) return say('not_found', true);
  if (/admin operation is in progress/.test(text)) return say('conflict', true);
  return say('io', false);
}
