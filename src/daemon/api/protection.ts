// Who may call, and how often.

import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NO_TOKEN, WRONG_TOKEN } from './refusals.ts';
import type { Route } from './route.ts';
import { send } from './send.ts';

export interface ProtectionOptions {
  readonly routes: readonly Route[];
  /** Whether what a client shows is the token. Default: none is asked for. */
  readonly isToken?: (presented: string) => boolean;
  /** Calls that one address may make in a second. Default: 0, any number. */
  readonly ratePerSecond?: number;
}

/** Counts before it looks at the token: whoever guesses is slowed down, too. */
export function protect(
  server: FastifyInstance,
  { routes, isToken, ratePerSecond = 0 }: ProtectionOptions,
): void {
  const open = new Set(routes.filter((route) => route.open === true).map(({ path }) => path));
  const isOpen = (request: FastifyRequest): boolean => open.has(request.routeOptions.url ?? '');
  if (ratePerSecond > 0) {
    server.register(rateLimit, { global: false, max: ratePerSecond, timeWindow: 1000, allowList: isOpen });
    server.after(() => server.addHook('onRequest', server.rateLimit()));
  }
  if (isToken === undefined) return;
  server.after(() =>
    server.addHook('onRequest', async (request, reply) => {
      const shown = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (isOpen(request) || isToken(shown ?? '')) return;
      return send(reply, shown === undefined ? NO_TOKEN : WRONG_TOKEN);
    }),
  );
}
