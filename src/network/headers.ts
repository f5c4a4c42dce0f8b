// What node:http has of headers, as this port has it.

import type { IncomingHttpHeaders } from 'node:http';

/** As node:http hands them over, in lower case; each one text. */
export function textHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
