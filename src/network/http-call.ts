// One call by HTTP, from its first byte to the end of its answer.

import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { untilAborted } from '../base/abortable.ts';
import { abortError, type Clock } from '../base/clock.ts';
import { RigError } from '../base/errors.ts';
import { createProgressDeadline, type ProgressDeadline } from './deadline.ts';
import { textHeaders } from './headers.ts';
import { refusingLookup } from './lookup.ts';
import {
  type Bytes,
  callText,
  LARGEST_ANSWER_BYTES,
  type NetworkRequest,
  type NetworkResponse,
} from './network.ts';
import { refuseLiteral } from './refuse.ts';
import type { NetworkTls } from './tls.ts';

export async function callHttp(
  options: { readonly clock: Clock; readonly tls?: NetworkTls },
  request: NetworkRequest,
): Promise<NetworkResponse> {
  const { signal, timeoutMs } = request;
  if (signal?.aborted) throw abortError(signal);
  refuseLiteral(request);
  const outgoing = open(request, options.tls);
  const isSent = whetherSent(outgoing);
  // Why we ended it ourselves; whatever else ends it is the connection's failure.
  let reason: unknown;
  const end = (why: unknown): void => {
    reason ??= why;
    outgoing.destroy();
  };
  const deadline = createProgressDeadline({
    clock: options.clock,
    timeoutMs,
    onExpired: () => end(timeoutError(request)),
  });
  const onAbort = (): void => end(abortError(signal));
  signal?.addEventListener('abort', onAbort, { once: true });
  const answered = answerOf(outgoing, deadline);
  try {
    // An answer may come before all is sent, and then the rest needn't be.
    sendBody(outgoing, { body: request.body, deadline, until: answered }).catch(end);
    return await answered;
  } catch (error) {
    if (reason !== undefined) throw RigError.from(reason);
    if (error instanceof RigError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new RigError('unavailable', `${callText(request)}: ${said}`, {
      definite: !isSent(),
      cause: error,
    });
  } finally {
    deadline.cancel();
    signal?.removeEventListener('abort', onAbort);
    outgoing.destroy();
  }
}

function open(request: NetworkRequest, tls: NetworkTls | undefined): ClientRequest {
  const url = new URL(request.url);
  const { method, headers, body } = request;
  const length = typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : {};
  const options = {
    method,
    headers: { ...headers, ...length },
    agent: false as const,
    ...refusingLookup(request),
  };
  if (url.protocol !== 'https:') return httpRequest(url, options);
  return httpsRequest(url, { ...options, ...(tls && { cert: tls.cert, key: tls.key, ca: tls.ca }) });
}

/** Before there is a connection, nothing has reached anybody. */
function whetherSent(outgoing: ClientRequest): () => boolean {
  let sent = false;
  outgoing.once('socket', (socket) => {
    const event = 'encrypted' in socket ? 'secureConnect' : 'connect';
    socket.once(event, () => {
      sent = true;
    });
  });
  return () => sent;
}

async function answerOf(outgoing: ClientRequest, deadline: ProgressDeadline): Promise<NetworkResponse> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve);
    // Stays: a connection that breaks later says so once more.
    outgoing.on('error', reject);
    outgoing.once('close', () => reject(new Error('the connection ended without an answer')));
  });
  deadline.progress();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    deadline.progress();
    bytes += chunk.length;
    if (bytes > LARGEST_ANSWER_BYTES) {
      throw new RigError('unavailable', `the answer is larger than ${LARGEST_ANSWER_BYTES} bytes`, {
        definite: false,
      });
    }
    chunks.push(chunk);
  }
  return {
    status: response.statusCode ?? 0,
    headers: textHeaders(response.headers),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

async function sendBody(
  outgoing: ClientRequest,
  options: {
    readonly body: string | Bytes | undefined;
    readonly deadline: ProgressDeadline;
    readonly until: Promise<unknown>;
  },
): Promise<void> {
  const { body, deadline } = options;
  if (body === undefined || typeof body === 'string') {
    outgoing.end(body);
    return;
  }
  const over = new AbortController();
  const stop = (): void => over.abort();
  options.until.then(stop, stop);
  outgoing.once('close', stop);
  try {
    for await (const chunk of untilAborted(body, over.signal, () => abortError(over.signal))) {
      deadline.progress();
      if (outgoing.write(chunk)) continue;
      await once(outgoing, 'drain', { signal: over.signal });
      deadline.progress();
    }
    outgoing.end();
  } catch (error) {
    // Whoever waits for the answer knows why it is over.
    if (!over.signal.aborted) throw error;
  }
}

function timeoutError(request: NetworkRequest): RigError {
  return new RigError('timeout', `${callText(request)}: nothing moved for ${request.timeoutMs} ms`, {
    definite: false,
  });
}
