// One volume in the hands of a test.

import { sameRules } from '../model/export.ts';
import type { Compression } from '../model/volume.ts';
import type { ApiCall, ConsumerRule } from '../rig/scenario.ts';
import { eventually, type Timed } from './eventually.ts';
import type { Waiting } from './readiness.ts';
import type { VolumeView } from './volume-view.ts';

export interface VolumeOrder {
  readonly name: string;
  readonly sizeGib: number;
  /** Labels that its node must have. Default: none. */
  readonly constraints?: Readonly<Record<string, string>>;
  /** By consumers' names. Default: nobody may mount it. */
  readonly exports?: readonly ConsumerRule[];
}

/** Changes resolve when they are ordered, which is before they are done. Throws as the API's client does. */
export interface VolumeHandle {
  readonly id: string;
  read(): Promise<VolumeView>;
  /** Until it is ready, with its exports. Throws `timeout` with the state that was seen last. */
  becomeReady(options?: Waiting): Promise<VolumeView>;
  resize(sizeGib: number): Promise<void>;
  /** In the place of all exports so far. */
  export(rules: readonly ConsumerRule[]): Promise<void>;
  /** A snapshot of it. */
  clone(order: Omit<VolumeOrder, 'constraints'>): Promise<VolumeHandle>;
  /** To that node, or to one that the engine picks. */
  move(to?: string): Promise<void>;
  defragment(): Promise<void>;
  compress(algorithm: Compression): Promise<void>;
  delete(): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

export function volumeHandle(options: {
  readonly id: string;
  readonly order: (call: ApiCall) => Promise<unknown>;
  readonly read: () => Promise<VolumeView>;
  readonly timed: Timed;
  /** The handle of another one. */
  readonly other: (id: string) => VolumeHandle;
}): VolumeHandle {
  const { id, order, read, timed, other } = options;
  return {
    id,
    read,
    becomeReady: ({ withinMs = READY_WITHIN_MS } = {}) => awaitReadiness({ id, read, timed, withinMs }),
    resize: async (sizeGib) => void (await order({ resize: id, sizeGib })),
    export: async (exports) => void (await order({ reexport: id, exports })),
    clone: async ({ name, ...rest }) => {
      const made = (await order({ clone: name, of: id, ...rest })) as { readonly id: string };
      return other(made.id);
    },
    move: async (to) => void (await order(to === undefined ? { move: id } : { move: id, to })),
    defragment: async () => void (await order({ defragment: id })),
    compress: async (algorithm) => void (await order({ compress: id, algorithm })),
    delete: async () => void (await order({ remove: id })),
  };
}

async function awaitReadiness(volume: {
  readonly id: string;
  readonly read: () => Promise<VolumeView>;
  readonly timed: Timed;
  readonly withinMs: number;
}): Promise<VolumeView> {
  const { id, read, timed, withinMs } = volume;
  const { view } = await eventually(
    async () => {
      const view = await read();
      const { state, node, actual, exports, control } = view;
      const isExported = sameRules(actual?.exports ?? [], exports);
      return { view, state, node, isExported, error: control.error };
    },
    {
      on: timed,
      withinMs,
      what: `volume ${id} to be ready with its exports`,
      until: ({ state, isExported }) => state === 'ready' && isExported,
      show: ({ view: _view, ...seen }) => seen,
    },
  );
  return view;
}
