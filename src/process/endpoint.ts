// Where somebody listens.

import type { AddressInfo, Server } from 'node:net';
import { RigError } from '../base/errors.ts';

export interface Endpoint {
  readonly host: string;
  /** 0 in the place of one that the system chooses. */
  readonly port: number;
}

/** Throws `machine` when it can't listen there. */
export function listen(server: Server, { host, port }: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(new RigError('machine', `cannot listen at ${host}:${port}: ${cause.message}`, { cause })),
    );
    server.listen({ host, port, exclusive: true }, () => resolve());
  });
}

/** The one that it was told, or that the system has chosen. */
export const portOf = (server: Server): number => (server.address() as AddressInfo).port;
