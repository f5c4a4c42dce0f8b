// Lease renewals of one client, multiplexed over one stream.

import type { ILeaseKeepAliveRequest, ILeaseKeepAliveResponse } from 'etcd3';
import { hasCode, RigError } from '../base/errors.ts';
import type { Cluster } from './etcd-cluster.ts';
import { fromGrpc, isTokenRefused } from './etcd-errors.ts';

export interface KeepaliveStream {
  /** One request, one answer: the seconds granted. `not_found` when the lease is gone. */
  renew(leaseId: string): Promise<number>;
  close(): void;
}

interface Pending {
  readonly settle: (outcome: number | RigError) => void;
}

interface OpenStream {
  write(request: ILeaseKeepAliveRequest): void;
  cancel(): void;
}

/**
 * The stream is opened by the first renewal and again after a failure, which
 * fails every renewal that is still waiting. One that gets no answer in its
 * share of the time takes the stream for dead, and goes on through a new one, to
 * another endpoint if there is one.
 */
export function createKeepaliveStream(options: {
  readonly cluster: Cluster;
  readonly requestTimeoutMs: number;
}): KeepaliveStream {
  const { cluster, requestTimeoutMs } = options;
  /** etcd answers the renewals of one lease in order. */
  const pending = new Map<string, Pending[]>();
  let opening: Promise<OpenStream> | undefined;
  let drop: (error: RigError) => void = () => {};
  let closed = false;

  const failAll = (error: RigError): void => {
    const failed = [...pending.values()].flat();
    pending.clear();
    for (const { settle } of failed) settle(error);
  };

  const open = async (): Promise<OpenStream> => {
    const endpoint = await cluster.connected('Lease');
    const stream = await endpoint.lease.leaseKeepAlive();
    let over = false;
    const end = (error: RigError): void => {
      if (over) return;
      over = true;
      opening = undefined;
      endpoint.streams.delete(cut);
      cluster.suspect(endpoint);
      stream.cancel();
      failAll(error);
    };
    const cut = (): void => end(lost(`etcd at ${endpoint.address} does not answer`));
    endpoint.streams.add(cut);
    drop = end;
    stream.on('data', (response: ILeaseKeepAliveResponse) => {
      // What a stream that was given up still brings was asked by renewals that have failed.
      if (over) return;
      const waiting = pending.get(response.ID);
      waiting?.shift()?.settle(Number(response.TTL));
      if (waiting?.length === 0) pending.delete(response.ID);
    });
    stream.on('error', (error) => {
      if (isTokenRefused(error)) endpoint.forgetToken();
      end(fromGrpc(error, { what: 'renewing leases', write: true }));
    });
    stream.on('end', () => end(lost('etcd ended the stream of lease renewals')));
    if (closed) end(lost('the etcd client was closed'));
    return stream;
  };

  const exchange = (stream: OpenStream, leaseId: string, endMs: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => drop(lost(`no answer to the renewal of lease ${leaseId} in time`)),
        Math.max(0, endMs - performance.now()),
      );
      const settle = (outcome: number | RigError): void => {
        clearTimeout(timer);
        if (typeof outcome === 'number') resolve(outcome);
        else reject(outcome);
      };
      pending.set(leaseId, [...(pending.get(leaseId) ?? []), { settle }]);
      stream.write({ ID: leaseId });
    });

  const renewOnce = async (leaseId: string, endMs: number): Promise<number> => {
    if (closed) throw new RigError('aborted', 'the etcd client was closed');
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    const stream = await opening;
    if (closed) throw new RigError('aborted', 'the etcd client was closed');
    const ttlSeconds = await exchange(stream, leaseId, endMs);
    if (ttlSeconds <= 0) throw new RigError('not_found', `lease ${leaseId} does not exist`);
    return ttlSeconds;
  };

  return {
    renew: async (leaseId) => {
      const endMs = performance.now() + requestTimeoutMs;
      // Unlike other writes it may be sent again: renewing twice is renewing.
      for (let left = cluster.size; ; left -= 1) {
        const startedMs = performance.now();
        try {
          return await renewOnce(leaseId, startedMs + Math.max(0, endMs - startedMs) / left);
        } catch (error) {
          const mayRetry = left > 1 && performance.now() < endMs && hasCode(error, 'unavailable', 'timeout');
          if (!mayRetry) throw error;
        }
      }
    },
    close: () => {
      closed = true;
      drop(lost('the etcd client was closed'));
    },
  };
}

function lost(message: string): RigError {
  return new RigError('unavailable', message, { definite: false });
}
