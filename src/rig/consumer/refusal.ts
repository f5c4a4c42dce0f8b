// What libnfs's exit means: a server that says no, one that fails, or silence.

import type { IoAnswer, IoRequest } from './protocol.ts';

/**
 * Words of a refusal. A host that isn't accepted doesn't see the export at all
 * (NFS4ERR_NOENT on the way to its root, RFC 7530, 13.1.2.4), or is denied;
 * a read-only host gets ROFS.
 */
const REFUSED = /NFS4ERR_(ACCESS|PERM|ROFS|WRONGSEC)\b/;
const EXPORT_NOT_SEEN = /Failed to mount nfs share.*NFS4ERR_NOENT/;
/**
 * libnfs's words for a server that said no before anything was touched. Opening
 * a file for writing empties it, so a write that is refused later has happened
 * in part.
 */
const REFUSED_AT_THE_DOOR = new RegExp(
  `Failed to (mount nfs share|open file|creat file)\\b.*${REFUSED.source}`,
);

/** Words of the server about the file itself, and not about the way to the export: that was mounted before. */
const NO_SUCH_FILE = /Failed to open file\b.*NFS4ERR_NOENT\b/;

/** The quota's limit and the disk's own end (RFC 7530, 13.1.4); the words are strerror's or the protocol's. */
const FULL = /NFS4ERR_(DQUOT|NOSPC)\b|\bE(DQUOT|NOSPC)\b|Disk quota exceeded|No space left on device/;

/** Classifies a failed run of a libnfs tool. */
export function answerOfFailure(kind: IoRequest['kind'], error: unknown): IoAnswer {
  const { killed, stderr, stdout, message } = error as {
    killed?: boolean;
    stderr?: string;
    stdout?: string;
    message?: string;
  };
  const words = `${stderr ?? ''}${stdout ?? ''}`.trim();
  const detail = words.slice(-500) || (message ?? String(error));
  if (killed === true)
    return { outcome: kind === 'nfs-write' ? 'unknown' : 'failed', detail: `no answer in time; ${detail}` };
  if (kind === 'nfs-write' && FULL.test(words)) return { outcome: 'unknown', full: true, detail };
  const refused = REFUSED.test(words) || EXPORT_NOT_SEEN.test(words);
  if (!refused && kind === 'nfs-write') return { outcome: 'unknown', detail };
  if (!refused) return { outcome: 'failed', ...(NO_SUCH_FILE.test(words) && { absent: true }), detail };
  const untouched = kind !== 'nfs-write' || REFUSED_AT_THE_DOOR.test(words) || EXPORT_NOT_SEEN.test(words);
  return untouched ? { outcome: 'refused', detail } : { outcome: 'unknown', refused: true, detail };
}
