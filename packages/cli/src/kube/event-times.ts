import type { Event } from '@wherry/api';
import { ageText } from '../printers/age.ts';

/** When an event was last seen, in milliseconds. */
export function lastMs(event: Event): number {
  const text =
    event.series?.lastObservedTime ?? event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp;
  return Date.parse(text ?? '');
}

function firstMs(event: Event): number {
  return Date.parse(event.firstTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? '');
}

/** `3m`, or `3m (x5 over 1h)` for what happened several times. */
export function seenText(event: Event, nowMs: number): string {
  const count = event.series?.count ?? event.count ?? 1;
  const last = ageText(nowMs - lastMs(event));
  return count > 1 ? `${last} (x${count} over ${ageText(nowMs - firstMs(event))})` : last;
}
