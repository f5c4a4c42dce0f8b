// The rig's clients: every call is recorded as it is made and as it ends, be it
// known (`ok`, `fail`) or not (`info`).

import { sha256 } from '../base/digest.ts';
import { hasCode } from '../base/errors.ts';
import { digestOfContent } from './consumer/content.ts';
import type { OpenFileRequest } from './consumer/mount-protocol.ts';
import type { IoAnswer, IoRequest } from './consumer/protocol.ts';
import type { Deployment } from './deployment.ts';
import type { CallEvent, Operation } from './history.ts';
import type { Journal } from './journal.ts';

/** A call that gets no answer within this is given up by default; nobody knows then what became of it. */
export const HTTP_TIMEOUT_MS = 10_000;

export interface HttpCall {
  readonly process: string;
  readonly node: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** Sent as If-Match. Default: none. */
  readonly ifMatch?: string;
  /** Default: 10,000. */
  readonly timeoutMs?: number;
}

/** `status` is undefined when no answer came. */
export interface HttpAnswer {
  readonly status: number | undefined;
  readonly body: unknown;
  readonly etag?: string;
  readonly elapsedMs: number;
  readonly error?: string;
}

/** The answer in an expectation. */
export function answerText({ status, body, error }: HttpAnswer): string {
  return status === undefined ? (error ?? 'no answer') : `${status} ${JSON.stringify(body)}`.slice(0, 200);
}

export interface FileCall {
  readonly process: string;
  readonly kind: 'nfs-write' | 'nfs-read';
  readonly consumer: string;
  readonly server: string;
  readonly volume: string;
  readonly file: string;
  /** Names the content and its length; of a write. */
  readonly content?: { readonly name: string; readonly bytes: number };
  /** Default: root. */
  readonly uid?: number | undefined;
  /** See {@link Operation}. */
  readonly through?: 'kernel';
  readonly timeoutMs: number;
}

export interface Clients {
  http(call: HttpCall): Promise<HttpAnswer>;
  file(call: FileCall): Promise<IoAnswer>;
  /** Calls so far. */
  count(): number;
}

export function createClients(options: {
  readonly deployment: Deployment;
  readonly journal: Pick<Journal, 'atMs' | 'record'>;
}): Clients {
  const { deployment, journal } = options;
  let calls = 0;
  /** The process that each client is by now: another one after each call that stays open. */
  const processes = new Map<string, { readonly name: string; readonly count: number; isOpen: boolean }>();

  const processOf = (client: string) => {
    const { name = client, count = 1, isOpen = false } = processes.get(client) ?? {};
    const process = isOpen
      ? { name: `${client} (${count + 1})`, count: count + 1, isOpen: true }
      : { name, count, isOpen: true };
    processes.set(client, process);
    return process;
  };

  /** Records the invocation; the returned function records the completion. */
  const invoke = (client: string, operation: Operation) => {
    calls += 1;
    const caller = processOf(client);
    const common = { type: 'call', call: calls, process: caller.name, operation } as const;
    journal.record({ ...common, phase: 'invoke' });
    return (end: Omit<CallEvent, 'type' | 'atMs' | 'call' | 'process' | 'operation'>): void => {
      if (end.phase !== 'info') caller.isOpen = false;
      journal.record({ ...common, ...end });
    };
  };

  return {
    count: () => calls,

    http: async ({ process, node, method, path, body, ifMatch, timeoutMs = HTTP_TIMEOUT_MS }) => {
      const complete = invoke(process, {
        kind: 'http',
        node,
        method,
        path,
        ...(body !== undefined && { body }),
        ...(ifMatch !== undefined && { ifMatch }),
      });
      // Of a call that changes something; a name of its own, whatever is called meanwhile.
      const traced = method === 'GET' ? undefined : `${deployment.runId} ${calls}`;
      // Where the node is now is the rig's question, not part of the call.
      let startedMs = journal.atMs();
      try {
        const url = `${await deployment.api(node)}${path}`;
        startedMs = journal.atMs();
        const response = await deployment.fetch(url, {
          method,
          headers: {
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(ifMatch !== undefined && { 'if-match': ifMatch }),
            ...(traced !== undefined && { traceparent: traceparentOf(traced) }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
          timeoutMs,
        });
        const answer = parsed(await response.text());
        const etag = response.headers.get('etag');
        complete({
          phase: phaseOf(method, response.status),
          status: response.status,
          body: answer,
          ...(etag !== null && { etag }),
        });
        return {
          status: response.status,
          body: answer,
          elapsedMs: journal.atMs() - startedMs,
          ...(etag !== null && { etag }),
        };
      } catch (thrown) {
        const error = describe(thrown);
        complete({ phase: neverSent(thrown) || method === 'GET' ? 'fail' : 'info', error });
        return { status: undefined, body: undefined, elapsedMs: journal.atMs() - startedMs, error };
      }
    },

    file: async (call) => {
      const { process, kind, consumer, server, volume, file, content, uid, through, timeoutMs } = call;
      const sha256 = content && (deployment.digestOf ?? digestOfContent)(content);
      const place = { server, volume, file, ...(uid !== undefined && { uid }) };
      const how = { ...(sha256 && { sha256 }), ...(through && { through }) };
      const complete = invoke(process, { kind, consumer, ...place, ...how });
      const path = through === 'kernel' ? '/open-file' : '/io';
      let answer: IoAnswer;
      try {
        const response = await deployment.fetch(`${await deployment.consumer(consumer)}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(requestOf(call)),
          timeoutMs: timeoutMs + HTTP_TIMEOUT_MS,
        });
        if (response.status === 200) answer = (await response.json()) as IoAnswer;
        else
          answer = {
            outcome: 'failed',
            detail: `the consumer answered ${response.status}: ${await response.text()}`,
          };
      } catch (thrown) {
        answer = { outcome: neverSent(thrown) ? 'failed' : 'unknown', detail: describe(thrown) };
      }
      complete({
        phase: FILE_PHASES[answer.outcome],
        ...(answer.sha256 !== undefined && { sha256: answer.sha256 }),
        ...(answer.server !== undefined && { server: answer.server }),
        ...(answer.detail !== undefined && { error: answer.detail }),
        ...((answer.outcome === 'refused' || answer.refused === true) && { refused: true }),
        ...(answer.full === true && { full: true }),
        ...(answer.absent === true && { absent: true }),
      });
      return answer;
    },
  };
}

function requestOf(call: FileCall): IoRequest | OpenFileRequest {
  const { kind, server, volume, file, content, uid, through, timeoutMs } = call;
  const own = through === 'kernel' ? {} : { server, ...(uid !== undefined && { uid }) };
  const place = { volume, file, timeoutMs, ...own };
  if (kind === 'nfs-read') return { kind, ...place } as IoRequest | OpenFileRequest;
  const { name = file, bytes = 1 } = content ?? {};
  return { kind, ...place, content: name, bytes } as IoRequest | OpenFileRequest;
}

/** As W3C Trace Context has it; the same for the same call of the same run. */
function traceparentOf(call: string): string {
  const digest = sha256(call);
  return `00-${digest.slice(0, 32)}-${digest.slice(32, 48)}-01`;
}

const FILE_PHASES = { ok: 'ok', refused: 'fail', failed: 'fail', unknown: 'info' } as const;

/** 503 and 5xx may hide a write that happened; any 4xx certainly does not. */
function phaseOf(method: string, status: number): CallEvent['phase'] {
  if (status < 400) return 'ok';
  return status >= 500 && method !== 'GET' ? 'info' : 'fail';
}

function neverSent(thrown: unknown): boolean {
  if (hasCode(thrown, 'unavailable', 'not_found')) return true;
  const cause = (thrown as { cause?: { code?: string } }).cause;
  return cause?.code === 'ECONNREFUSED';
}

function describe(thrown: unknown): string {
  const { message, cause } = thrown as { message?: string; cause?: { message?: string } };
  return [message ?? String(thrown), cause?.message].filter(Boolean).join(': ');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
