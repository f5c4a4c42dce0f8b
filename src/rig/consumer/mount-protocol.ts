// What the rig asks of a consumer that mounts volumes by a kernel, over HTTP.

import { z } from 'zod';
import { parseRequest, volumeParts } from './protocol.ts';

/** What mounts by the host's kernel, in the consumer's network; and what it says once it listens. */
export const HOST_AGENT = { port: 7_000, ready: 'agent is ready' } as const;

/** A folder below /mnt; what there is else is the machine's own. */
const AT = /^\/mnt(\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){1,4}$/;
/** Of mount(8); where the volume is, and how to speak to it, is not for anybody to choose. */
const MOUNT_OPTIONS = /^[a-z]+(=[a-z0-9]+)?(,[a-z]+(=[a-z0-9]+)?)*$/;

/**
 * `hard`: what an application waits for is not lost because a server is slow or away for a while; it is told of an error
 * once the cluster says that the volume isn't there any more. `soft` gives up by itself, and may lose what was written.
 */
export const DEFAULT_MOUNT_OPTIONS = 'hard';

const mountRequestSchema = z.strictObject({
  volume: volumeParts.volume,
  /** The node that serves it now. */
  server: volumeParts.server,
  at: z.string().regex(AT, 'must be a folder below /mnt'),
  options: z.string().regex(MOUNT_OPTIONS, 'must be options of mount(8): soft,timeo=50').optional(),
  /** Nodes whose events are followed from then on, the first one first. */
  follow: z.array(volumeParts.server).min(1),
});

export type MountRequest = z.infer<typeof mountRequestSchema>;

const openFileParts = {
  volume: volumeParts.volume,
  file: volumeParts.file,
  /** The application gives up after so long. */
  timeoutMs: volumeParts.timeoutMs,
};

const openFileRequestSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('nfs-write'),
    ...openFileParts,
    content: z.string().min(1).max(256),
    bytes: z
      .int()
      .min(1)
      .max(2 ** 20),
  }),
  z.strictObject({ kind: z.literal('nfs-read'), ...openFileParts }),
]);

/** Through a file of a mounted volume that is opened once, and stays open. */
export type OpenFileRequest = z.infer<typeof openFileRequestSchema>;

const runRequestSchema = z.strictObject({
  /** The program, and what it is told. */
  command: z.array(z.string()).min(1),
  timeoutMs: volumeParts.timeoutMs,
});

export type RunRequest = z.infer<typeof runRequestSchema>;

/** What a command came to. */
export interface RunAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const parseMountRequest = (text: string): MountRequest => parseRequest(mountRequestSchema, text);
export const parseOpenFileRequest = (text: string): OpenFileRequest =>
  parseRequest(openFileRequestSchema, text);
export const parseRunRequest = (text: string): RunRequest => parseRequest(runRequestSchema, text);

/** Whose kernel mounts: the host's own, or that of a virtual machine. */
export type MountedBy = 'host' | 'vm (kvm)' | 'vm (tcg)';

/** A mount as it is now. */
export interface MountState {
  readonly volume: string;
  readonly at: string;
  /** Null: nowhere, for the consumer was told so, or the last mount failed. */
  readonly server: string | null;
  readonly options: string;
  readonly by: MountedBy;
}

/** Something that was done with a mount, in the order of `number`. */
export interface MountChange {
  readonly number: number;
  readonly volume: string;
  readonly at: string;
  /** `opened`: an application has opened a file, for the first time or anew. */
  readonly did: 'mounted' | 'unmounted' | 'failed' | 'opened';
  /** Null: nowhere. */
  readonly server: string | null;
  /** `asked`, or what the cluster said. */
  readonly why: 'asked' | 'told to mount' | 'told to remount' | 'told to unmount';
  readonly tookMs: number;
  /** The file of `opened`. */
  readonly file?: string;
  readonly error?: string;
}
