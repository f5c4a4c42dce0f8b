// What a client of a workload asks for.

import type { Operation } from '../history.ts';

/** One call of a client on the API or on a volume. */
export type WorkCall =
  | Extract<Operation, { readonly kind: 'http' }>
  | {
      readonly kind: 'nfs-write' | 'nfs-read';
      readonly server: string;
      readonly volume: string;
      readonly file: string;
      /** Of a write. */
      readonly bytes?: number;
    };
