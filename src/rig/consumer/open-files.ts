// An application on a mounted volume: it opens a file once, writes and reads through that, and
// opens it anew only when that has failed and the volume has been mounted anew, or unmounted, since.

import type { Clock } from '../../base/clock.ts';
import { hasCode, RigError } from '../../base/errors.ts';
import { type AgentConnection, AgentFailure, connectAgent } from './agent-client.ts';
import { contentOf, digestOf } from './content.ts';
import type { OpenFileRequest } from './mount-protocol.ts';
import type { Mounts } from './mounts.ts';
import type { IoAnswer } from './protocol.ts';

/** The longest that is read. */
const MOST_BYTES = 2 ** 20;
const REFUSED: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS']);
const FULL: ReadonlySet<string> = new Set(['EDQUOT', 'ENOSPC']);

interface OpenFile {
  readonly connection: AgentConnection;
  readonly generation: number;
  readonly server: string;
  hasFailed: boolean;
}

export interface OpenFiles {
  /** Never rejects. One operation of one file at a time. */
  perform(request: OpenFileRequest): Promise<IoAnswer>;
}

export function createOpenFiles(options: { readonly clock: Clock; readonly mounts: Mounts }): OpenFiles {
  const { clock, mounts } = options;
  const files = new Map<string, OpenFile>();

  /** The open file, or one that is opened now. Undefined where the volume is not mounted. */
  const fileOf = async (request: OpenFileRequest): Promise<OpenFile | undefined> => {
    const { kind, volume, file, timeoutMs } = request;
    const mount = mounts.find(volume);
    const key = `${kind} ${volume}/${file}`;
    const known = files.get(key);
    if (known !== undefined && (!known.hasFailed || known.generation === mount?.generation)) return known;
    known?.connection.close();
    files.delete(key);
    if (mount === undefined || mount.server === null) return undefined;
    const startedMs = clock.monotonicMs();
    const connection = await connectAgent(mount.kernel);
    const mode = kind === 'nfs-write' ? 'rw' : 'r';
    try {
      await connection.ask(['open', `${mount.at}/${file}`, mode], { timeoutMs });
      if (mounts.find(volume)?.generation !== mount.generation)
        throw new RigError('conflict', `${volume} was mounted anew meanwhile`, { definite: false });
    } catch (error) {
      connection.close();
      throw error;
    }
    mounts.noteOpened(mount, file, Math.round(clock.monotonicMs() - startedMs));
    const { generation, server } = mount;
    const opened = { connection, generation, server, hasFailed: false };
    files.set(key, opened);
    return opened;
  };

  return {
    perform: async (request) => {
      const { kind, volume, file, timeoutMs } = request;
      const before = mounts.find(volume);
      let open: OpenFile | undefined;
      try {
        open = await fileOf(request);
      } catch (error) {
        const isStill = before !== undefined && before.generation === mounts.find(volume)?.generation;
        const server = before?.server == null ? {} : { server: before.server };
        return { ...answerOf(error, { kind, isOpen: false, isMounted: isStill }), ...server };
      }
      if (open === undefined) return { outcome: 'failed', detail: 'it is not mounted' };
      const { server } = open;
      try {
        if (kind === 'nfs-read') {
          const { answer } = await open.connection.ask(['read', String(MOST_BYTES)], { timeoutMs });
          return { outcome: 'ok', sha256: digestOf(answer), server };
        }
        const content = contentOf({ name: request.content, bytes: request.bytes });
        await open.connection.ask(['write'], { timeoutMs, payload: content });
        return { outcome: 'ok', sha256: digestOf(content), server };
      } catch (error) {
        open.hasFailed = true;
        // Its process is gone: the application is another one from now on.
        if (!(error instanceof AgentFailure)) files.delete(`${kind} ${volume}/${file}`);
        return { ...answerOf(error, { kind, isOpen: true, isMounted: false }), server };
      }
    },
  };
}

/** What an operation that failed may have done. */
export function answerOf(
  error: unknown,
  context: {
    readonly kind: OpenFileRequest['kind'];
    /** Whether the file was open: before that nothing was touched. */
    readonly isOpen: boolean;
    /** Whether the volume was mounted, the same all along. */
    readonly isMounted: boolean;
  },
): IoAnswer {
  const detail = (error as Error).message;
  const errno = error instanceof AgentFailure ? error.errno : '';
  const isWrite = context.kind === 'nfs-write';
  if (REFUSED.has(errno))
    return isWrite && context.isOpen
      ? { outcome: 'unknown', refused: true, detail }
      : { outcome: 'refused', detail };
  if (isWrite && FULL.has(errno)) return { outcome: 'unknown', full: true, detail };
  if (errno === 'ENOENT' && !isWrite && context.isMounted) return { outcome: 'failed', absent: true, detail };
  // An agent that could not be asked has done nothing; to open a file for writing may have made it.
  const isUntouched = !isWrite || (!context.isOpen && hasCode(error, 'unavailable'));
  return { outcome: isUntouched ? 'failed' : 'unknown', detail };
}
