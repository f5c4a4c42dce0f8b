// gRPC's and etcd's errors, brought into the project's closed set of codes.

import { type ErrorCode, RigError } from '../base/errors.ts';

/** gRPC status codes (grpc.io/docs/guides/status-codes) that etcd or the transport answer with. */
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const UNAUTHENTICATED = 16;

const TOKEN_REFUSED = /invalid auth token|revision of auth store is old|user name is empty/;
/** What no new token mends. Without a user at all, etcd says that its name is empty. */
const REFUSED = /authentication failed|permission denied|user name is empty/;

const REFUSED_NEXT = "Check the user's name, password and permissions in etcd, or the client certificate.";

interface GrpcStatus {
  readonly code: number;
  readonly details: string;
}

/**
 * Translates whatever a gRPC call or stream failed with. `write` says whether
 * the call could change anything: if not, its failure is always definite.
 */
export function fromGrpc(
  thrown: unknown,
  call: { readonly what: string; readonly write: boolean },
): RigError {
  if (thrown instanceof RigError) return thrown;
  const { code, details } = statusOf(thrown);
  const { errorCode, definite } = translate(code, details);
  return new RigError(errorCode, `${call.what}: ${details}`, {
    definite: definite || !call.write,
    ...(errorCode === 'unsupported' && { next: REFUSED_NEXT }),
    cause: thrown,
  });
}

/** True when a new token may help: this one has expired, or was issued before the last change of users and roles. */
export function isTokenRefused(thrown: unknown): boolean {
  return TOKEN_REFUSED.test(statusOf(thrown).details);
}

/** True when credentials were given to an etcd that has auth switched off. */
export function isAuthDisabled(thrown: unknown): boolean {
  return statusOf(thrown).details.includes('authentication is not enabled');
}

function statusOf(thrown: unknown): GrpcStatus {
  if (thrown instanceof Error && 'code' in thrown && 'details' in thrown) {
    return { code: Number(thrown.code), details: String(thrown.details) };
  }
  return { code: -1, details: thrown instanceof Error ? thrown.message : String(thrown) };
}

/** The texts are those of etcd's api/v3rpc/rpctypes/error.go, release 3.5. */
function translate(code: number, details: string): { errorCode: ErrorCode; definite: boolean } {
  if (details.includes('client was already closed')) return { errorCode: 'aborted', definite: true };
  if (details.includes('has been compacted')) return { errorCode: 'compacted', definite: true };
  if (code === PERMISSION_DENIED || REFUSED.test(details)) {
    return { errorCode: 'unsupported', definite: true };
  }
  // With the right password, but too late: refused before anything was done.
  if (code === UNAUTHENTICATED || TOKEN_REFUSED.test(details)) {
    return { errorCode: 'unavailable', definite: true };
  }
  switch (code) {
    case INVALID_ARGUMENT:
    case FAILED_PRECONDITION:
    case OUT_OF_RANGE:
      return { errorCode: 'invalid', definite: true };
    case NOT_FOUND:
      return { errorCode: 'not_found', definite: true };
    case DEADLINE_EXCEEDED:
      return { errorCode: 'timeout', definite: false };
    case CANCELLED:
      return { errorCode: 'unavailable', definite: false };
    case RESOURCE_EXHAUSTED:
      // No space, or too many requests: etcd refused before it did anything.
      return { errorCode: 'unavailable', definite: details.includes('etcdserver:') };
    default:
      // A broken connection, a lost leader, an unknown text: it may have happened.
      return { errorCode: 'unavailable', definite: false };
  }
}
