// A node's NFS server as a port. nfs/ganesha.ts is the real one, nfs/memory.ts
// its model; both pass one contract suite.

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
  /** Read from the server itself, never from memory of what was asked. */
  list(): Promise<readonly ActiveExport[]>;
  /** Exports the volume to exactly these hosts; an empty list ends the export. */
  apply(wanted: ActiveExport): Promise<void>;
  /** Ends the export; a volume that isn't exported is fine. */
  remove(id: string): Promise<void>;
}
