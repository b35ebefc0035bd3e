import { toBuffer, toByteString } from '../schema/keys.ts';
import type {
  Compare,
  CompareResult,
  DeleteRangeRequest,
  DeleteRangeResponse,
  LeaseId,
  PutRequest,
  PutResponse,
  RequestOp,
  ResponseOp,
  Revision,
  TxnRequest,
  TxnResponse,
} from '../schema/messages.ts';
import type { KeyEntry } from './key-index.ts';
import type { Mvcc } from './mvcc.ts';
import { checkRevision, collect, range, spanOf } from './range.ts';
import { isRefusal, type Refusal } from './refusal.ts';
import type { Version } from './version.ts';

const NO_LEASE = 0 as LeaseId;

/** Each of these is one change set: it happens as a whole or is refused as a whole. */
export function put(mvcc: Mvcc, request: PutRequest): PutResponse | Refusal {
  const refusal = checkPut(mvcc, request);
  if (refusal !== undefined) return refusal;
  const response = runPut(mvcc, request);
  mvcc.commit();
  return response;
}

export function deleteRange(mvcc: Mvcc, request: DeleteRangeRequest): DeleteRangeResponse {
  const response = runDelete(mvcc, request);
  mvcc.commit();
  return response;
}

export function txn(mvcc: Mvcc, request: TxnRequest): TxnResponse | Refusal {
  // All that can be refused is found before the first change, so that no half-done transaction ever needs undoing.
  const plan = choose(mvcc, request);
  if (isRefusal(plan)) return plan;
  const response = run(mvcc, plan);
  mvcc.commit();
  return response;
}

export function grantLease(mvcc: Mvcc, id: LeaseId, ttlSeconds: number): Refusal | undefined {
  if (mvcc.leases.get(id) !== undefined) return { refused: 'leaseExists' };
  mvcc.leases.grant(id, ttlSeconds);
  return undefined;
}

/** Deletes the attached keys, in key order, in one revision. */
export function revokeLease(mvcc: Mvcc, id: LeaseId): Revision | Refusal {
  const lease = mvcc.leases.get(id);
  if (lease === undefined) return { refused: 'leaseNotFound' };
  const entries = [...lease.keys].sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const entry of entries) mvcc.delete(entry);
  mvcc.leases.remove(id);
  return mvcc.commit();
}

/** A transaction with its branch chosen, also in nested ones: etcd decides all comparisons on the state before. */
interface Plan {
  readonly succeeded: boolean;
  readonly steps: readonly { readonly op: RequestOp; readonly nested?: Plan }[];
}

function choose(mvcc: Mvcc, request: TxnRequest): Plan | Refusal {
  const succeeded = (request.compare ?? []).every((compare) => holds(mvcc, compare));
  const steps: { op: RequestOp; nested?: Plan }[] = [];
  for (const op of (succeeded ? request.success : request.failure) ?? []) {
    if (op.kind === 'txn') {
      const nested = choose(mvcc, op.request);
      if (isRefusal(nested)) return nested;
      steps.push({ op, nested });
      continue;
    }
    const refusal = checkOp(mvcc, op);
    if (refusal !== undefined) return refusal;
    steps.push({ op });
  }
  return { succeeded, steps };
}

function checkOp(mvcc: Mvcc, op: Exclude<RequestOp, { kind: 'txn' }>): Refusal | undefined {
  if (op.kind === 'put') return checkPut(mvcc, op.request);
  if (op.kind === 'range') return checkRevision(mvcc, op.request.revision ?? 0);
  return undefined;
}

function checkPut(mvcc: Mvcc, request: PutRequest): Refusal | undefined {
  if ((request.ignoreValue === true || request.ignoreLease === true) && live(mvcc, request) === undefined) {
    return { refused: 'keyNotFound' };
  }
  const lease = request.lease ?? 0;
  if (lease !== 0 && mvcc.leases.get(lease as LeaseId) === undefined) return { refused: 'leaseNotFound' };
  return undefined;
}

function run(mvcc: Mvcc, plan: Plan): TxnResponse {
  const responses: ResponseOp[] = [];
  for (const { op, nested } of plan.steps) {
    switch (op.kind) {
      case 'put':
        responses.push({ kind: 'put', response: runPut(mvcc, op.request) });
        break;
      case 'deleteRange':
        responses.push({ kind: 'deleteRange', response: runDelete(mvcc, op.request) });
        break;
      case 'range': {
        const response = range(mvcc, op.request);
        if (isRefusal(response)) throw new Error(`Range refused inside a checked transaction: ${response.refused}`);
        responses.push({ kind: 'range', response });
        break;
      }
      case 'txn':
        responses.push({ kind: 'txn', response: run(mvcc, nested as Plan) });
    }
  }
  return { revision: openRevision(mvcc), succeeded: plan.succeeded, responses };
}

function runPut(mvcc: Mvcc, request: PutRequest): PutResponse {
  const previous = live(mvcc, request);
  const value = request.ignoreValue === true ? (previous?.value ?? Buffer.alloc(0)) : toBuffer(request.value);
  const lease = request.ignoreLease === true ? (previous?.lease ?? NO_LEASE) : ((request.lease ?? 0) as LeaseId);
  const { modRevision } = mvcc.put(toByteString(request.key), value, lease);
  if (request.prevKv !== true || previous === undefined) return { revision: modRevision };
  return { revision: modRevision, prevKv: previous };
}

function runDelete(mvcc: Mvcc, request: DeleteRangeRequest): DeleteRangeResponse {
  const doomed = collect(mvcc, spanOf(request), Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  for (const version of doomed) mvcc.delete(version.entry);
  return { revision: openRevision(mvcc), deleted: doomed.length, prevKvs: request.prevKv === true ? doomed : [] };
}

function openRevision(mvcc: Mvcc): Revision {
  return mvcc.changed ? mvcc.nextRevision : mvcc.revision;
}

function live(mvcc: Mvcc, request: PutRequest): Version | undefined {
  const head = mvcc.index.get(toByteString(request.key))?.head;
  return head?.deleted === false ? head : undefined;
}

function holds(mvcc: Mvcc, compare: Compare): boolean {
  const span = spanOf(compare);
  if (span.single) return matches(compare, liveHead(mvcc.index.get(span.start)));
  const versions = collect(mvcc, span, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
  // etcd: a range without keys is compared once, as a missing key.
  if (versions.length === 0) return matches(compare, undefined);
  return versions.every((version) => matches(compare, version));
}

function liveHead(entry: KeyEntry | undefined): Version | undefined {
  return entry?.head?.deleted === false ? entry.head : undefined;
}

function matches(compare: Compare, version: Version | undefined): boolean {
  switch (compare.target) {
    case 'version':
      return relation(compare.result, (version?.version ?? 0) - compare.version);
    case 'create':
      return relation(compare.result, (version?.createRevision ?? 0) - compare.createRevision);
    case 'mod':
      return relation(compare.result, (version?.modRevision ?? 0) - compare.modRevision);
    case 'lease':
      return relation(compare.result, order(version?.lease ?? 0, compare.lease));
    case 'value':
      return version !== undefined && relation(compare.result, version.value.compare(toBuffer(compare.value)));
  }
}

function order(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : Number(a > b);
}

function relation(result: CompareResult, difference: number): boolean {
  switch (result) {
    case 'equal':
      return difference === 0;
    case 'notEqual':
      return difference !== 0;
    case 'greater':
      return difference > 0;
    case 'less':
      return difference < 0;
  }
}
