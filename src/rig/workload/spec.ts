// A workload as data: who calls how often, what, on how much.

/** What a client can do; kinds.ts says how each is drawn. */
export const WORK = [
  'create',
  'clone',
  'resize',
  'reexport',
  'move',
  'defragment',
  'compress',
  'remove',
  'get',
  'list',
  'write',
  'read',
  'drain',
  'undrain',
] as const;

export type Work = (typeof WORK)[number];

export interface Workload {
  /** Processes that call, each one call at a time. All know of the same volumes. */
  readonly clients: number;
  /** Of all clients together. The rate stays when calls take long, for as long as a client is free. */
  readonly ratePerSecond: number;
  /** How often each kind is done, against the others; what isn't named is never done. */
  readonly mix: Readonly<Partial<Record<Work, number>>>;
  readonly volumes: {
    /** No more are ordered while a client knows of so many. */
    readonly most: number;
    /** What they are ordered and resized to. */
    readonly sizesGib: readonly number[];
  };
  readonly fileBytes: readonly number[];
  /** Of writes, so many are to a file that the client has written there before. Default: 0. */
  readonly overwritePercent?: number;
  /** Of changes of volumes, so many are made on condition of the ETag that the client saw last. */
  readonly conditionalPercent: number;
  /** Of orders, so many ask for the labels of one node. */
  readonly constrainedPercent: number;
  /** The least share of the calls, in per cent of the rate, that has to succeed; less is too little to judge by. */
  readonly leastPercent: number;
}

/** How much of it the rate comes to in so long. */
export const dueCalls = ({ ratePerSecond }: Pick<Workload, 'ratePerSecond'>, ms: number): number =>
  Math.floor((ratePerSecond * ms) / 1000);

/** In a line, for people. */
export function describeWorkload({ clients, ratePerSecond, mix, volumes }: Workload): string {
  const parts = WORK.flatMap((work) => ((mix[work] ?? 0) === 0 ? [] : [`${work} ${mix[work]}`]));
  return (
    `${clients} clients, ${ratePerSecond} calls a second, at most ${volumes.most} volumes of ` +
    `${volumes.sizesGib.join(', ')} GiB; ${parts.join(', ')}`
  );
}
