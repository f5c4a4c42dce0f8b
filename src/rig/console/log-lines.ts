// Lines of logs as the console shows them, and those of them that are kept.

import type { LogLevel } from '../../base/log.ts';

export interface ConsoleLogLine {
  /** In milliseconds since the epoch, or of the run; 0: nobody knows. */
  readonly atMs: number;
  readonly member: string;
  /** Empty for what no role has said. */
  readonly role: string;
  readonly level: LogLevel;
  readonly text: string;
}

export interface LogTail {
  readonly lines: readonly ConsoleLogLine[];
  add(lines: readonly ConsoleLogLine[]): void;
}

/** Of which only the last are kept. */
export function createLogTail(mostLines: number): LogTail {
  const lines: ConsoleLogLine[] = [];
  return {
    lines,
    add: (more) => {
      lines.push(...more);
      lines.splice(0, lines.length - mostLines);
    },
  };
}
