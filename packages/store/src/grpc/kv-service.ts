import type { Command, CommandResponse } from '../replica/command.ts';
import type { Answer } from '../replica/waiters.ts';
import type { Codec } from '../schema/codec.ts';
import {
  compactRequest,
  compactResponse,
  deleteRangeRequest,
  deleteRangeResponse,
  putRequest,
  putResponse,
  rangeRequest,
  rangeResponse,
  txnRequest,
  txnResponse,
} from '../schema/kv-codecs.ts';
import { type GrpcMethod, unary } from './method.ts';
import type { ServiceParts } from './services.ts';

/** Steps of a physical compaction between two turns of the event loop: about a millisecond. */
const PRUNE_STEPS = 10_000;

export function kvMethods(parts: ServiceParts): Readonly<Record<string, GrpcMethod>> {
  const { requests, facts } = parts;
  /** The command's kind and its response's codec belong together; the compiler cannot see through the log. */
  const command = <Q, R extends object>(
    request: Codec<Q>,
    response: Codec<R>,
    commandOf: (request: Q) => Command,
  ): GrpcMethod =>
    unary(facts, request, response, (made, answer, encoded) =>
      requests.command(commandOf(made), encoded, answer as Answer<object> as Answer<CommandResponse>),
    );
  return {
    Range: unary(facts, rangeRequest, rangeResponse, (request, answer) => requests.range(request, answer)),
    Put: command(putRequest, putResponse, (request) => ({ kind: 'put', request })),
    DeleteRange: command(deleteRangeRequest, deleteRangeResponse, (request) => ({ kind: 'deleteRange', request })),
    Txn: command(txnRequest, txnResponse, (request) => ({ kind: 'txn', request })),
    Compact: unary(facts, compactRequest, compactResponse, (request, answer, encoded) => {
      const { revision, physical } = request;
      const compacted = answer as Answer<object>;
      requests.command({ kind: 'compact', request: { revision } }, encoded, (outcome) => {
        if (physical !== true || 'refused' in outcome) compacted(outcome);
        else prune(parts, () => compacted(outcome));
      });
    }),
  };
}

/** Does the work of a compaction at once instead of bit by bit, still without holding others up. */
function prune(parts: ServiceParts, done: () => void): void {
  if (parts.replica.mvcc.prune(PRUNE_STEPS)) done();
  else parts.clock.setTimer(0, () => prune(parts, done));
}
