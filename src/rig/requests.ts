// What a scenario's calls are over HTTP.

import type { ApiCall, ConsumerRule } from './scenario.ts';

export interface Request {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/** What the names of a scenario stand for. */
export interface Meanings {
  idOf(volume: string): string;
  /** IP address of a consumer. */
  address(consumer: string): Promise<string>;
}

export async function requestOf(call: ApiCall, { idOf, address }: Meanings): Promise<Request> {
  const rules = (exports: readonly ConsumerRule[] = []) =>
    Promise.all(exports.map(async ({ consumer, ...rule }) => ({ host: await address(consumer), ...rule })));
  const post = (volume: string, what: string, body: unknown): Request => ({
    method: 'POST',
    path: `/volumes/${idOf(volume)}/${what}`,
    body,
  });
  if ('create' in call || 'clone' in call) {
    const constraints = 'create' in call ? (call.constraints ?? {}) : {};
    const requested = { reserved_size: call.sizeGib, constraints };
    const exports = await rules(call.exports);
    const parent = 'clone' in call && { id: idOf(call.of) };
    const body = {
      name: 'create' in call ? call.create : call.clone,
      meta: {},
      requested,
      exports,
      ...parent,
    };
    return { method: 'POST', path: '/volumes', body };
  }
  if ('resize' in call) {
    const body = { requested: { reserved_size: call.sizeGib, constraints: call.constraints ?? {} } };
    return { method: 'PUT', path: `/volumes/${idOf(call.resize)}`, body };
  }
  if ('reexport' in call) {
    const body = { exports: await rules(call.exports) };
    return { method: 'PUT', path: `/volumes/${idOf(call.reexport)}/exports`, body };
  }
  if ('move' in call) return post(call.move, 'move', call.to === undefined ? {} : { node: call.to });
  if ('defragment' in call) return post(call.defragment, 'defragment', {});
  if ('compress' in call) return post(call.compress, 'compress', { algorithm: call.algorithm });
  if ('remove' in call) return { method: 'DELETE', path: `/volumes/${idOf(call.remove)}` };
  const node = 'drain' in call ? call.drain : call.undrain;
  return { method: 'PUT', path: `/nodes/${node}`, body: { draining: 'drain' in call } };
}

/** The name that the scenario gives to the volume which the call orders, if it orders one. */
export function orderedBy(call: ApiCall): string | undefined {
  if ('create' in call) return call.create;
  return 'clone' in call ? call.clone : undefined;
}
