// Which endpoint to turn to: the one that last worked. One that failed although
// it was connected is suspected; once another works, it is examined, and if it
// does not answer, its streams are ended. They may belong to a frozen or
// cut-off member, of which gRPC alone would be silent for several seconds more.

import { hasCode } from '../base/errors.ts';
import { type Endpoint, grpcDeadline } from './etcd-endpoint.ts';
import { fromGrpc } from './etcd-errors.ts';

export interface Suspicion {
  /** Every endpoint, the preferred one first. */
  inOrder(): readonly Endpoint[];
  suspect(endpoint: Endpoint): void;
  worked(endpoint: Endpoint): void;
}

export function createSuspicion(endpoints: readonly Endpoint[], timeoutMs: number): Suspicion {
  const suspected = new Set<Endpoint>();
  let preferred = 0;

  const examine = async (endpoint: Endpoint): Promise<void> => {
    const endMs = performance.now() + timeoutMs;
    try {
      await endpoint.connect('KV', timeoutMs);
      await endpoint.kv.range({ key: Buffer.from('/') }, { deadline: grpcDeadline(endMs) });
    } catch (error) {
      // A refusal, too, is an answer.
      const failure = fromGrpc(error, { what: `examining ${endpoint.address}`, write: false });
      if (!hasCode(failure, 'unavailable', 'timeout')) return;
      for (const end of [...endpoint.streams]) end();
    }
  };

  return {
    inOrder: () => [...endpoints.slice(preferred), ...endpoints.slice(0, preferred)],
    suspect: (endpoint) => {
      if (endpoint.streams.size > 0) suspected.add(endpoint);
      if (endpoints[preferred] === endpoint) preferred = (preferred + 1) % endpoints.length;
    },
    worked: (endpoint) => {
      preferred = endpoints.indexOf(endpoint);
      suspected.delete(endpoint);
      for (const other of suspected) void examine(other);
      suspected.clear();
    },
  };
}
