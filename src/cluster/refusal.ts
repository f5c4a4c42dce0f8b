// What the API says when it does not do what it was asked, as an error.

import { type ErrorCode, RigError } from '../base/errors.ts';

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'invalid',
  404: 'not_found',
  409: 'conflict',
  412: 'conflict',
  503: 'unavailable',
};

interface ErrorBody {
  readonly error?: {
    readonly message?: string;
    readonly fields?: readonly { readonly path: string; readonly message: string }[];
    readonly volumes?: readonly string[];
    readonly used_bytes?: number;
  };
}

/** `what` was asked. `definite` is false where a change may have been made nevertheless. */
export function refusal(
  what: string,
  { status, body }: { readonly status: number; readonly body: unknown },
): RigError {
  const {
    message,
    fields = [],
    volumes = [],
    used_bytes: used,
  } = (body as ErrorBody | undefined)?.error ?? {};
  const details = [
    ...fields.map(({ path, message: why }) => `'${path}' ${why}`),
    ...(volumes.length > 0 ? [`in the way: ${volumes.join(', ')}`] : []),
    ...(used === undefined ? [] : [`it holds ${used} bytes`]),
  ];
  const told = [message ?? JSON.stringify(body), ...details].join('; ');
  return new RigError(CODES[status] ?? 'io', `${what} was answered ${status}: ${told}`, {
    definite: status < 500,
  });
}
