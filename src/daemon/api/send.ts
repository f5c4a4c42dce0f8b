// A response of the API as fastify sends it.

import type { FastifyReply } from 'fastify';
import { untilAborted } from '../../base/abortable.ts';
import type { ApiResponse } from './route.ts';

/** A stream ends when the signal fires. */
export function send(reply: FastifyReply, response: ApiResponse, signal?: AbortSignal): FastifyReply {
  reply.code(response.status);
  if (response.headers !== undefined) reply.headers(response.headers);
  if (response.stream !== undefined) {
    const until = signal ?? new AbortController().signal;
    response.cutOff?.addEventListener('abort', () => reply.raw.destroy(), { once: true });
    return reply.send(ReadableStream.from(untilAborted(response.stream, until)));
  }
  if (response.json !== undefined) {
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(response.json));
  }
  return reply.send(response.text);
}
