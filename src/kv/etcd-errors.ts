// gRPC's and etcd's errors, brought into the project's closed set of codes.

import { type ErrorCode, RigError } from '../base/errors.ts';

/** gRPC status codes (grpc.io/docs/guides/status-codes) that etcd or the transport answer with. */
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;

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
    cause: thrown,
  });
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
