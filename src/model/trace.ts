// Trace ids as W3C Trace Context has them (https://www.w3.org/TR/trace-context/): what a client's call
// and all that follows from it have in common.

import { z } from 'zod';

export const traceIdSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** Version, trace id, parent id, flags; later versions may go on after that. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-|$)/;

/** The trace id of a `traceparent` header; undefined where it isn't one, which is then to be ignored. */
export const traceIdOf = (traceparent: string | undefined): string | undefined =>
  TRACEPARENT.exec(traceparent ?? '')?.[1];
