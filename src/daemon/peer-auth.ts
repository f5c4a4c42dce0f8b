// How the processes of one cluster prove to each other that they belong to it:
// a code over the call, keyed with the cluster's secret. Pure.
//
// It says who calls whom and for what. It neither hides what is sent nor covers
// the bytes of a stream (their digests are compared by both ends): against
// somebody who can change what passes between the nodes only TLS helps.

import { hmacSha256, isSameSecret } from '../base/digest.ts';

const SCHEME = 'Cobalt';

export interface PeerCall {
  readonly method: string;
  /** With the query, as it is sent. */
  readonly path: string;
  readonly from: string;
  /** The node that is to carry it out: another one must refuse it. */
  readonly to: string;
}

/** The headers of a call; `nonce` is drawn for each one: 32 hexadecimal digits. */
export function peerHeaders(
  call: PeerCall,
  { secret, nonce }: { readonly secret: string; readonly nonce: string },
): Readonly<Record<string, string>> {
  return {
    authorization: `${SCHEME} ${nonce}.${codeOf(call, secret, nonce)}`,
    'cobalt-from': call.from,
    'cobalt-to': call.to,
  };
}

/**
 * Whoever made the call knows the secret; undefined for anybody else. Whether it is for this node, or was made
 * before (by its `nonce`), is not looked at.
 */
export function callerOf(
  request: {
    readonly method: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
  },
  secret: string,
): { readonly from: string; readonly to: string; readonly nonce: string } | undefined {
  const { method, path, headers } = request;
  const [, nonce, code] = /^Cobalt ([0-9a-f]{32})\.([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? [];
  const [from, to] = [headers['cobalt-from'], headers['cobalt-to']];
  if (nonce === undefined || code === undefined || from === undefined || to === undefined) return undefined;
  const isTheirs = isSameSecret(code, codeOf({ method, path, from, to }, secret, nonce));
  return isTheirs ? { from, to, nonce } : undefined;
}

function codeOf({ method, path, from, to }: PeerCall, secret: string, nonce: string): string {
  // As JSON, no part can pretend to be the next one's beginning.
  return hmacSha256(secret, JSON.stringify([method, path, from, to, nonce]));
}
