// A node's NFS server as a port. nfs/ganesha.ts is the real one, nfs/memory.ts
// its model; both pass one contract suite.

import { hasCode } from '../base/errors.ts';
import type { ExportRule } from '../model/export.ts';

/** What is exported right now: the volume's id and who may do what. */
export interface ActiveExport {
  readonly id: string;
  readonly rules: readonly ExportRule[];
}

/**
 * Every call is idempotent and takes effect before it resolves. Failures are
 * RigErrors with code `io`, or `unavailable` while the server isn't up.
 */
export interface Exporter {
  /**
   * Read from the server itself, never from memory of what was asked. Whatever
   * it serves that no rule can stand for is a rule whose host isn't one, so that
   * it differs from all that can be wanted.
   */
  list(): Promise<readonly ActiveExport[]>;
  /** One of them, without asking about the others; undefined if there is none. */
  find(id: string): Promise<ActiveExport | undefined>;
  /** Exports the volume to exactly these hosts; an empty list ends the export. */
  apply(wanted: ActiveExport): Promise<void>;
  /** Ends the export; a volume that isn't exported is fine. */
  remove(id: string): Promise<void>;
}

/** What the server answers, or undefined while it isn't up. */
export async function ifUp<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (hasCode(error, 'unavailable')) return undefined;
    throw error;
  }
}
