// Spans of the run's time line, and what others leave of them.

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** The parts of the span that none of the disturbances touches, by time. */
export function undisturbedSpans(span: Span, disturbances: readonly Span[]): readonly Span[] {
  const left: Span[] = [];
  let reachedMs = span.fromMs;
  for (const { fromMs, toMs } of [...disturbances].sort((a, b) => a.fromMs - b.fromMs)) {
    if (reachedMs >= span.toMs) break;
    if (fromMs > reachedMs) left.push({ fromMs: reachedMs, toMs: Math.min(fromMs, span.toMs) });
    reachedMs = Math.max(reachedMs, toMs);
  }
  if (reachedMs < span.toMs) left.push({ fromMs: reachedMs, toMs: span.toMs });
  return left;
}

/** Milliseconds of the span that none of the disturbances touches. For work that is bounded: work-clock.ts. */
export const undisturbedMs = (span: Span, disturbances: readonly Span[]): number =>
  undisturbedSpans(span, disturbances).reduce((total, { fromMs, toMs }) => total + toMs - fromMs, 0);
