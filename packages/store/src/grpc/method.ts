import type { Logger } from '@wherry/daemon';
import { isRefusal, type Refusal } from '../mvcc/refusal.ts';
import type { Answer } from '../replica/waiters.ts';
import { ByteReader } from '../schema/bytes.ts';
import type { Codec, HeaderFacts } from '../schema/codec.ts';
import { REQUEST_BYTES_MAX } from '../schema/limits.ts';
import type { CallHandler, GrpcCall } from './call.ts';
import { grpcCodes, statusOf } from './status.ts';

/** Makes the handler of one call. */
export type GrpcMethod = (call: GrpcCall) => CallHandler;

/** What a response's header says beside the revision, as of now. */
export type Facts = () => HeaderFacts;

/** A method of one request and one response. @param handle `encoded`: the request as it came, for the log */
export function unary<Q, R extends object>(
  facts: Facts,
  request: Codec<Q>,
  response: Codec<R>,
  handle: (request: Q, answer: Answer<R>, encoded: Buffer) => void,
): GrpcMethod {
  return (call) => {
    let taken = false;
    const answer: Answer<R> = (outcome) => {
      if (isRefusal(outcome)) call.finish(statusOf(outcome));
      else call.reply((writer) => response.write(writer, outcome, facts()));
    };
    return {
      message(bytes) {
        if (taken) {
          call.finish({ code: grpcCodes.internal, message: 'this method takes one message, not several' });
          return;
        }
        taken = true;
        if (bytes.length > REQUEST_BYTES_MAX) answer({ refused: 'requestTooLarge' });
        else handle(request.read(new ByteReader(bytes)), answer, bytes);
      },
      halfClosed() {
        if (!taken) call.finish({ code: grpcCodes.internal, message: 'this method takes one message, not none' });
      },
    };
  };
}

/** Answers with what a promise brings; one that fails ends the call, and is logged: it should have been a refusal. */
export async function settle<T extends object>(
  promise: Promise<T | Refusal>,
  answer: Answer<T>,
  logger: Logger,
): Promise<void> {
  try {
    answer(await promise);
  } catch (error) {
    logger.error({ err: error }, 'request failed');
    answer({ refused: 'unhealthy' });
  }
}
