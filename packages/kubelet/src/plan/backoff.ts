// Exponential back-off as upstream's flowcontrol.Backoff, without state of its own: the entry is carried by
// whoever has to remember it. For crashes that is a label of the container, so that a restarted kubelet goes on.

export interface BackoffLimits {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** Crash and image pull back-off: 10 s, doubling, at most 5 min; forgotten after twice that without failure. */
export const defaultBackoff: BackoffLimits = { initialMs: 10_000, maxMs: 300_000 };

export interface BackoffEntry {
  readonly backoffMs: number;
  readonly updatedAtMs: number;
}

function expired(entry: BackoffEntry, eventAtMs: number, limits: BackoffLimits): boolean {
  return eventAtMs - entry.updatedAtMs > 2 * limits.maxMs;
}

/** Milliseconds that still have to pass after the failure at `eventAtMs`; 0 if another try may start now. */
export function backoffLeftMs(
  entry: BackoffEntry | undefined,
  eventAtMs: number,
  nowMs: number,
  limits: BackoffLimits = defaultBackoff,
): number {
  if (entry === undefined || entry.backoffMs === 0 || expired(entry, eventAtMs, limits)) return 0;
  return Math.max(0, entry.backoffMs - (nowMs - eventAtMs));
}

/** The entry to keep once another try starts now after the failure at `eventAtMs`. */
export function nextBackoff(
  entry: BackoffEntry | undefined,
  eventAtMs: number,
  nowMs: number,
  limits: BackoffLimits = defaultBackoff,
): BackoffEntry {
  if (entry === undefined || entry.backoffMs === 0 || expired(entry, eventAtMs, limits)) {
    return { backoffMs: limits.initialMs, updatedAtMs: nowMs };
  }
  return { backoffMs: Math.min(entry.backoffMs * 2, limits.maxMs), updatedAtMs: nowMs };
}
