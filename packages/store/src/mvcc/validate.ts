import { toByteString } from '../schema/keys.ts';
import type { Compare, PutRequest, RequestOp, TxnRequest } from '../schema/messages.ts';
import { type Span, spanHolds, spanOf } from './range.ts';
import type { Refusal } from './refusal.ts';

/** Operations per branch of a transaction, and comparisons (etcd's --max-txn-ops). */
export const TXN_OPS_MAX = 128;
/** Transactions inside transactions, so that a request cannot exhaust the stack. */
const TXN_DEPTH_MAX = 16;

/** Checks that need no state: done at the door, before anything is replicated. Rules and order as etcd's v3rpc. */
export function checkKey(request: { readonly key: { readonly length: number } }): Refusal | undefined {
  return request.key.length === 0 ? { refused: 'emptyKey' } : undefined;
}

export function checkPutShape(request: PutRequest): Refusal | undefined {
  if (request.key.length === 0) return { refused: 'emptyKey' };
  if (request.ignoreValue === true && request.value.length > 0) return { refused: 'valueProvided' };
  if (request.ignoreLease === true && (request.lease ?? 0) !== 0) return { refused: 'leaseProvided' };
  return undefined;
}

export function checkTxnShape(request: TxnRequest): Refusal | undefined {
  return checkTxn(request, 1) ?? overlaps(request.success) ?? overlaps(request.failure);
}

function checkTxn(request: TxnRequest, depth: number): Refusal | undefined {
  const { compare = [], success = [], failure = [] } = request;
  if (depth > TXN_DEPTH_MAX) return { refused: 'tooManyOps', detail: `nested deeper than ${TXN_DEPTH_MAX}` };
  if (Math.max(compare.length, success.length, failure.length) > TXN_OPS_MAX) return { refused: 'tooManyOps' };
  return (
    firstRefusal(compare, (each: Compare) => checkKey(each)) ??
    firstRefusal(success, (each) => checkOp(each, depth)) ??
    firstRefusal(failure, (each) => checkOp(each, depth))
  );
}

function checkOp(op: RequestOp, depth: number): Refusal | undefined {
  if (op.kind === 'txn') return checkTxn(op.request, depth + 1);
  return op.kind === 'put' ? checkPutShape(op.request) : checkKey(op.request);
}

/** Whether a transaction changes nothing, whichever way it goes: then it is a read. */
export function isReadOnly({ success = [], failure = [] }: TxnRequest): boolean {
  return [...success, ...failure].every((op) => op.kind === 'range' || (op.kind === 'txn' && isReadOnly(op.request)));
}

interface Touched {
  readonly puts: Set<string>;
  readonly deletes: Span[];
}

/** A transaction may not write a key twice, nor write a key it deletes. */
function overlaps(ops: readonly RequestOp[] | undefined): Refusal | undefined {
  return touch(ops ?? []) === undefined ? { refused: 'duplicateKey' } : undefined;
}

/** What a branch touches; undefined if it does so twice. */
function touch(ops: readonly RequestOp[]): Touched | undefined {
  const mine: Touched = { puts: new Set(), deletes: [] };
  for (const op of ops) if (op.kind === 'deleteRange') mine.deletes.push(spanOf(op.request));
  for (const op of ops) {
    if (op.kind !== 'put') continue;
    const key = toByteString(op.request.key);
    if (mine.puts.has(key) || deletes(mine, key)) return undefined;
    mine.puts.add(key);
  }
  for (const op of ops) {
    if (op.kind !== 'txn') continue;
    // Only one of the two branches runs, so they may touch the same keys.
    const branches = [touch(op.request.success ?? []), touch(op.request.failure ?? [])];
    for (const branch of branches) {
      if (branch === undefined) return undefined;
      for (const key of branch.puts) if (mine.puts.has(key) || deletes(mine, key)) return undefined;
      for (const key of mine.puts) if (deletes(branch, key)) return undefined;
    }
    for (const branch of branches) {
      for (const key of branch?.puts ?? []) mine.puts.add(key);
      mine.deletes.push(...(branch?.deletes ?? []));
    }
  }
  return mine;
}

function deletes(touched: Touched, key: string): boolean {
  return touched.deletes.some((span) => spanHolds(span, key));
}

function firstRefusal<T>(items: readonly T[], check: (item: T) => Refusal | undefined): Refusal | undefined {
  for (const item of items) {
    const refusal = check(item);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
