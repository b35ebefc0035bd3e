import type { ApiObject, ObjectMeta } from '@wherry/api';
import type { Strategy } from '../kinds/strategy.ts';

export type Propagation = 'Orphan' | 'Background' | 'Foreground';

export interface DeletionRequest {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: Propagation | undefined;
}

/** What a DELETE does to an object. */
export type DeletionPlan =
  | { readonly kind: 'remove' }
  /** Deletion has begun: something must happen before the object goes. */
  | { readonly kind: 'mark'; readonly object: ApiObject }
  /** It had begun already, and nothing changes. */
  | { readonly kind: 'keep' };

const ORPHAN = 'orphan';
const FOREGROUND = 'foregroundDeletion';

/** Upstream's BeforeDelete and finalizer rules, as a decision. `now` is RFC 3339, `nowMs` the same instant. */
export function planDeletion(
  object: ApiObject,
  strategy: Strategy,
  request: DeletionRequest,
  nowMs: number,
  rfc3339: (ms: number) => string,
): DeletionPlan {
  const metadata = object.metadata ?? {};
  const finalizers = finalizersAfter(metadata.finalizers ?? [], strategy, request.propagation);
  const changed = !sameList(finalizers, metadata.finalizers ?? []);
  if (strategy.gracefulDeletion !== undefined) {
    return planGraceful(
      object,
      strategy.gracefulDeletion(object, request.gracePeriodSeconds),
      finalizers,
      changed,
      nowMs,
      rfc3339,
    );
  }
  const blocked = finalizers.length > 0 || specFinalizers(object).length > 0;
  if (!blocked) {
    return { kind: 'remove' };
  }
  if (metadata.deletionTimestamp !== undefined && !changed) {
    return { kind: 'keep' };
  }
  const marked = mark(
    object,
    metadata.deletionTimestamp ?? rfc3339(nowMs),
    0,
    finalizers,
    metadata.deletionTimestamp === undefined,
  );
  return { kind: 'mark', object: marked };
}

function planGraceful(
  object: ApiObject,
  seconds: number,
  finalizers: readonly string[],
  changed: boolean,
  nowMs: number,
  rfc3339: (ms: number) => string,
): DeletionPlan {
  const metadata = object.metadata ?? {};
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = metadata;
  if (seconds === 0 && finalizers.length === 0) {
    return { kind: 'remove' };
  }
  if (deletionTimestamp === undefined) {
    return { kind: 'mark', object: mark(object, rfc3339(nowMs + seconds * 1000), seconds, finalizers, true) };
  }
  if (seconds < deletionGracePeriodSeconds) {
    // The wait is shortened, counted from when it began.
    const beganMs = Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
    return { kind: 'mark', object: mark(object, rfc3339(beganMs + seconds * 1000), seconds, finalizers, false) };
  }
  return changed
    ? { kind: 'mark', object: mark(object, deletionTimestamp, deletionGracePeriodSeconds, finalizers, false) }
    : { kind: 'keep' };
}

function mark(
  object: ApiObject,
  deletionTimestamp: string,
  seconds: number,
  finalizers: readonly string[],
  begins: boolean,
): ApiObject {
  const { finalizers: _old, ...rest } = object.metadata ?? {};
  const generation = rest.generation;
  const metadata: ObjectMeta = {
    ...rest,
    deletionTimestamp,
    // Namespaces are ended by their controller; no period applies.
    ...(isNamespace(object) ? {} : { deletionGracePeriodSeconds: seconds }),
    ...(finalizers.length === 0 ? {} : { finalizers }),
    ...(begins && generation !== undefined && generation > 0 ? { generation: generation + 1 } : {}),
  };
  return withPhase({ ...object, metadata });
}

/** A namespace says by its phase that it is going. */
function withPhase(object: ApiObject): ApiObject {
  if (!isNamespace(object)) {
    return object;
  }
  const { status } = object as { status?: object };
  return { ...object, status: { ...status, phase: 'Terminating' } } as ApiObject;
}

function finalizersAfter(
  present: readonly string[],
  strategy: Strategy,
  propagation: Propagation | undefined,
): readonly string[] {
  if (propagation === undefined) {
    const decided = present.includes(ORPHAN) || present.includes(FOREGROUND);
    return !decided && strategy.defaultDeletion === 'orphan' ? [...present, ORPHAN] : present;
  }
  const others = present.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  switch (propagation) {
    case 'Orphan':
      return [...others, ORPHAN];
    case 'Foreground':
      return [...others, FOREGROUND];
    case 'Background':
      return others;
  }
}

function sameList(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index]);
}

function isNamespace(object: ApiObject): boolean {
  return object.kind === 'Namespace' && object.apiVersion === 'v1';
}

function specFinalizers(object: ApiObject): readonly string[] {
  return isNamespace(object) ? ((object as { spec?: { finalizers?: readonly string[] } }).spec?.finalizers ?? []) : [];
}
