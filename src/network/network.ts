// Calls to other processes, as a port: between agents, from an API to an agent,
// and to the callbacks of consumers. network/http.ts is the real one,
// network/memory.ts joins what lives in one process; both pass one contract suite.

export type Bytes = AsyncIterable<Uint8Array>;

/** A longer answer is `unavailable` to its caller. */
export const LARGEST_ANSWER_BYTES = 1024 * 1024;

export interface NetworkRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent as it comes, at the pace at which the other side takes it. */
  readonly body?: string | Bytes;
  /**
   * True for an IP address that must not be called, whether the URL names it or a name leads to it: the
   * call is then `unavailable`, and definite. Default: none.
   */
  readonly refuses?: (address: string) => boolean;
  /** The longest time without any progress: no byte sent, none received. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** The call in a message. Without the query, which may hold what must not be logged. */
export function callText({ method, url }: Pick<NetworkRequest, 'method' | 'url'>): string {
  return `${method} ${url.replace(/\?.*$/s, '')}`;
}

export interface NetworkResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** UTF-8, at most {@link LARGEST_ANSWER_BYTES}. */
  readonly body: string;
}

export interface IncomingRequest {
  readonly method: string;
  /** With the query, as it came. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Throws `unavailable` when the caller goes away before its end. */
  readonly body: Bytes;
  /** Fires when the caller has gone away. */
  readonly signal: AbortSignal;
}

/** What it throws becomes a 500 without details. */
export type Handler = (request: IncomingRequest) => Promise<NetworkResponse>;

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Takes no new calls; those under way have until the signal fires (default: at once). */
  close(until?: AbortSignal): Promise<void>;
}

/**
 * Failures are RigErrors: `unavailable` (`definite` if nothing was sent), `timeout`, `aborted`. Any status
 * is an answer. Redirections are not followed.
 */
export interface Network {
  call(request: NetworkRequest): Promise<NetworkResponse>;
  /** Port 0: the system chooses. */
  listen(at: { readonly host: string; readonly port: number }, handler: Handler): Promise<Listener>;
}
