// Docker's refusals by their HTTP status.
import { RuntimeError, type RuntimeFailure } from '../port.ts';

export function statusOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** The engine's own sentence, without the HTTP wrapping of the client library. */
export function engineMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('json' in error && typeof error.json === 'object' && error.json !== null && 'message' in error.json) {
    return String(error.json.message);
  }
  // Or without the prefix that the library puts before it.
  return error.message.replace(/^\(HTTP code \d+\) [a-z ]+ - /, '').trim();
}

export function asRuntimeError(error: unknown, failure: RuntimeFailure): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const kind = statusOf(error) === 404 ? 'not-found' : failure;
  return new RuntimeError(kind, engineMessage(error), { cause: error });
}
