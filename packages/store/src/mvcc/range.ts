import { type ByteString, toByteString } from '../schema/keys.ts';
import type { KeySelection, KeyValue, RangeRequest, RangeResponse } from '../schema/messages.ts';
import type { KeyEntry } from './key-index.ts';
import type { Mvcc } from './mvcc.ts';
import type { Refusal } from './refusal.ts';
import { type Version, versionAt } from './version.ts';

const EMPTY = Buffer.alloc(0);

/** A selection in the form the index takes. */
export interface Span {
  readonly start: ByteString;
  /** undefined: to the last key. Ignored if `single`. */
  readonly end: ByteString | undefined;
  readonly single: boolean;
}

export function spanOf(selection: KeySelection): Span {
  const start = toByteString(selection.key);
  const { rangeEnd } = selection;
  if (rangeEnd === undefined || rangeEnd.length === 0) return { start, end: undefined, single: true };
  const end = toByteString(rangeEnd);
  return { start, end: end === '\0' ? undefined : end, single: false };
}

export function spanHolds(span: Span, key: ByteString): boolean {
  return span.single ? key === span.start : key >= span.start && (span.end === undefined || key < span.end);
}

/** Whether a read at `revision` (0: now) can be answered. Inside a transaction its own changes can be read too. */
export function checkRevision(mvcc: Mvcc, revision: number): Refusal | undefined {
  if (revision > mvcc.revision) return { refused: 'futureRevision' };
  if (revision > 0 && revision < mvcc.compactRevision) {
    return { refused: 'compacted', compactRevision: mvcc.compactRevision };
  }
  return undefined;
}

export function range(mvcc: Mvcc, request: RangeRequest): RangeResponse | Refusal {
  const wanted = request.revision ?? 0;
  const refusal = checkRevision(mvcc, wanted);
  if (refusal !== undefined) return refusal;
  // An open transaction reads its own writes, which carry the next revision.
  const now = mvcc.changed ? mvcc.nextRevision : mvcc.revision;
  const revision = wanted > 0 ? wanted : now;
  const span = spanOf(request);
  const limit = request.limit !== undefined && request.limit > 0 ? request.limit : Number.POSITIVE_INFINITY;
  if (request.countOnly === true) {
    return { revision: now, kvs: [], more: false, count: countAt(mvcc, span, revision) };
  }
  const whole = needsAll(request);
  // One more than asked for tells whether there is more.
  const found = collect(mvcc, span, revision, whole ? Number.POSITIVE_INFINITY : limit + 1);
  const count = whole || found.length <= limit ? found.length : countAt(mvcc, span, revision);
  const chosen = whole ? arrange(found, request) : found;
  const more = chosen.length > limit;
  if (more) chosen.length = limit;
  return { revision: now, kvs: request.keysOnly === true ? chosen.map(withoutValue) : chosen, more, count };
}

/** Versions of the span at a revision, in key order, at most `countMax`. */
export function collect(mvcc: Mvcc, span: Span, revision: number, countMax: number): Version[] {
  const found: Version[] = [];
  const take = (entry: KeyEntry): boolean => {
    const version = versionAt(entry, revision);
    if (version !== undefined) found.push(version);
    return found.length < countMax;
  };
  if (!span.single) mvcc.index.walk(span.start, span.end, take);
  else {
    const entry = mvcc.index.get(span.start);
    if (entry !== undefined) take(entry);
  }
  return found;
}

function countAt(mvcc: Mvcc, span: Span, revision: number): number {
  if (span.single) return collect(mvcc, span, revision, 1).length;
  return mvcc.index.count(span.start, span.end, revision, (entry) => versionAt(entry, revision) !== undefined);
}

function needsAll(request: RangeRequest): boolean {
  return (
    request.sortOrder === 'descend' ||
    (request.sortTarget !== undefined && request.sortTarget !== 'key') ||
    (request.minModRevision ?? 0) > 0 ||
    (request.maxModRevision ?? 0) > 0 ||
    (request.minCreateRevision ?? 0) > 0 ||
    (request.maxCreateRevision ?? 0) > 0
  );
}

function arrange(found: readonly Version[], request: RangeRequest): Version[] {
  const above = (value: number, max: number | undefined) => max !== undefined && max > 0 && value > max;
  const kept = found.filter(
    (version) =>
      version.modRevision >= (request.minModRevision ?? 0) &&
      !above(version.modRevision, request.maxModRevision) &&
      version.createRevision >= (request.minCreateRevision ?? 0) &&
      !above(version.createRevision, request.maxCreateRevision),
  );
  const sign = request.sortOrder === 'descend' ? -1 : 1;
  const target = request.sortTarget ?? 'key';
  return kept.sort((a, b) => sign * compareBy(target, a, b));
}

function compareBy(target: NonNullable<RangeRequest['sortTarget']>, a: Version, b: Version): number {
  switch (target) {
    case 'key':
      return a.entry.key < b.entry.key ? -1 : Number(a.entry.key > b.entry.key);
    case 'version':
      return a.version - b.version;
    case 'create':
      return a.createRevision - b.createRevision;
    case 'mod':
      return a.modRevision - b.modRevision;
    case 'value':
      return a.value.compare(b.value);
  }
}

function withoutValue(version: Version): KeyValue {
  const { key, createRevision, modRevision, lease } = version;
  return { key, value: EMPTY, createRevision, modRevision, version: version.version, lease };
}
