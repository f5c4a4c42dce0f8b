// HTTP of the rig's own clients, on a real network.

import type { Deployment } from './deployment.ts';

export const fetchHttp: Deployment['fetch'] = (url, { timeoutMs, signal, ...request } = {}) => {
  const ends = [
    ...(signal === undefined ? [] : [signal]),
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
  ];
  return fetch(url, { ...request, signal: AbortSignal.any(ends) });
};
