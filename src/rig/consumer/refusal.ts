// What libnfs's exit means: a server that says no, one that fails, or silence.

import type { IoAnswer, IoRequest } from './protocol.ts';

/**
 * Words of a refusal. A host that isn't accepted doesn't see the export at all
 * (NFS4ERR_NOENT on the way to its root, RFC 7530, 13.1.2.4), or is denied;
 * a read-only host gets ROFS.
 */
const REFUSED = /NFS4ERR_(ACCESS|PERM|ROFS|WRONGSEC)\b/;
const EXPORT_NOT_SEEN = /Failed to mount nfs share.*NFS4ERR_NOENT/;

/** Classifies a failed run of a libnfs tool. */
export function answerOfFailure(kind: IoRequest['kind'], error: unknown): IoAnswer {
  const { killed, stderr, stdout, message } = error as {
    killed?: boolean;
    stderr?: string;
    stdout?: string;
    message?: string;
  };
  const detail = `${stderr ?? ''}${stdout ?? ''}`.trim().slice(-500) || (message ?? String(error));
  if (killed === true)
    return { outcome: kind === 'nfs-write' ? 'unknown' : 'failed', detail: `no answer in time; ${detail}` };
  if (REFUSED.test(detail) || EXPORT_NOT_SEEN.test(detail)) return { outcome: 'refused', detail };
  // A write that broke off after it began may be there in part.
  return { outcome: kind === 'nfs-write' ? 'unknown' : 'failed', detail };
}
