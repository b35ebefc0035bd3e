import type { Status } from '@wherry/api';
import { describeError } from '../failure.ts';
import { VerbError } from './verb-error.ts';

type Refusal = Error & { readonly status?: Status };

export function isRefusal(error: unknown): error is Refusal {
  return error instanceof Error && error.name === 'StatusError';
}

/**
 * A refusal of the API server in kubectl's words.
 * @param doing what was tried, for example `when creating "web.yaml"`
 */
export function refusalText(error: Refusal, doing?: string): string {
  const { reason = '', details, message = error.message } = error.status ?? {};
  const said = doing === undefined ? message : `error ${doing}: ${message}`;
  if (reason === 'Invalid' && details !== undefined) {
    const subject = details.name === undefined ? 'The request' : `The ${details.kind ?? 'object'} "${details.name}"`;
    const causes = (details.causes ?? []).map((cause) =>
      cause.field === undefined || cause.field === ''
        ? (cause.message ?? '')
        : `${cause.field}: ${cause.message ?? ''}`,
    );
    if (causes.length === 0) return `${subject} is invalid`;
    return causes.length === 1
      ? `${subject} is invalid: ${causes[0]}`
      : `${subject} is invalid: \n${causes.map((cause) => `* ${cause}`).join('\n')}`;
  }
  if (reason === 'Unauthorized') return `error: You must be logged in to the server (${said})`;
  return `Error from server${reason === '' || reason === 'Unknown' ? '' : ` (${reason})`}: ${said}`;
}

/** Whatever a verb met, as one or more lines. */
export function errorText(error: unknown, doing?: string): string {
  if (isRefusal(error)) return refusalText(error, doing);
  if (error instanceof VerbError) return error.text;
  return `error: ${describeError(error)}`;
}
