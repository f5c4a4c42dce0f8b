// Durations, as a line that says how they are distributed. Pure.

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that at least `fraction` of all values don't exceed (nearest rank). */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(fraction * sorted.length) - 1)] ?? Number.NaN;
}

/** `median 92 ms, p95 131, worst 160 (30 times)` */
export function distribution(valuesMs: readonly number[]): string {
  const round = (ms: number): string => String(Math.round(ms));
  return (
    `median ${round(median(valuesMs))} ms, p95 ${round(quantile(valuesMs, 0.95))}, ` +
    `worst ${round(quantile(valuesMs, 1))} (${valuesMs.length} times)`
  );
}
