// What report.html embeds for its script: columns instead of rows, and every
// text once, so that a long run stays small. Times are milliseconds of the run.

/** The JSON of the page's element `record`. */
export interface PageData {
  readonly endMs: number;
  /** Whatever is an index of a text below, is one of this. */
  readonly strings: readonly string[];
  readonly lanes: readonly PageLane[];
  readonly faults: readonly PageFault[];
  readonly calls: CallColumns;
  readonly volumes: readonly PageVolume[];
  readonly etcd: EtcdColumns;
  readonly logs: LogColumns;
}

export type LaneGroup = 'fault' | 'machine' | 'node' | 'role' | 'client' | 'volume';

export interface PageLane {
  readonly group: LaneGroup;
  readonly label: string;
  /** From, to, style and text; styles are those of page/colours.js. */
  readonly bars: readonly PageBar[];
  /** The lane shows the calls whose column has this value. */
  readonly calls?: { readonly by: 'client' | 'server'; readonly is: number };
  /** The container and the role, or an empty text, whose warnings and errors are marked. */
  readonly logs?: { readonly container: number; readonly role: number };
}

export type PageBar = readonly [fromMs: number, toMs: number, style: number, text: number];

/** A span in which something was broken on purpose; `toMs` is the run's end if it never ended. */
export interface PageFault {
  readonly label: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** `ok`, `fail`, `info`, `refused` by a server that works, or `open` when the run ended first; the column holds its place here. */
export const OUTCOMES = ['ok', 'fail', 'info', 'refused', 'open'] as const;

/** A column has an entry for each call, in order of invocation. */
export interface CallColumns {
  /** All there were; more than the columns have when some were left out. */
  readonly total: number;
  readonly atMs: readonly number[];
  readonly tookMs: readonly number[];
  readonly client: readonly number[];
  readonly server: readonly number[];
  readonly operation: readonly number[];
  /** Index of {@link OUTCOMES}. */
  readonly outcome: readonly number[];
  /** What was asked and what went wrong; empty for what went well. */
  readonly detail: readonly number[];
}

export interface PageVolume {
  readonly id: string;
  readonly name: string;
  /** All there were. */
  readonly total: number;
  /** Time, revision, change and error of each step that is here. */
  readonly steps: readonly (readonly [atMs: number, revision: number, change: string, error: string])[];
}

export interface EtcdColumns {
  readonly total: number;
  readonly atMs: readonly number[];
  readonly revision: readonly number[];
  /** 1 for a delete. */
  readonly deleted: readonly number[];
  readonly key: readonly number[];
  readonly value: readonly string[];
}

export interface LogColumns {
  readonly total: number;
  readonly atMs: readonly number[];
  readonly container: readonly number[];
  /** 0 debug, 1 info, 2 warn, 3 error. */
  readonly level: readonly number[];
  /** The role that logged it, or an empty text. */
  readonly role: readonly number[];
  readonly text: readonly string[];
}
