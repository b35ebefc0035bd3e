// The one error that crosses HTTP, and a constructor for every reason, with upstream's texts.
import type { Status, StatusCause, StatusDetails } from '../generated/types.ts';
import { aggregateText, type FieldError, quote } from './field-error.ts';
import { codeOfReason, isStatusReason, type StatusReason } from './reasons.ts';

export class StatusError extends Error {
  readonly status: Status;

  constructor(status: Status, options?: { readonly cause?: unknown }) {
    super(status.message ?? status.reason ?? 'unknown', options);
    this.name = 'StatusError';
    this.status = status;
  }

  /** A known reason, or whatever text the server sent; `''` if it sent none. */
  get reason(): StatusReason | (string & {}) {
    return this.status.reason ?? '';
  }

  /** HTTP status code; 500 if the status names none. */
  get code(): number {
    return this.status.code ?? 500;
  }
}

export interface GroupResource {
  readonly group: string;
  /** Plural name. */
  readonly resource: string;
}

export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

interface Options {
  readonly cause?: unknown;
}

/** `pods`, `deployments.apps`. */
export function qualified(of: GroupResource): string {
  return of.group === '' ? of.resource : `${of.resource}.${of.group}`;
}

export function notFound(resource: GroupResource, name: string, options?: Options): StatusError {
  const details = resourceDetails(resource, name);
  return failure('NotFound', `${qualified(resource)} ${quote(name)} not found`, details, options);
}

export function alreadyExists(resource: GroupResource, name: string, options?: Options): StatusError {
  const details = resourceDetails(resource, name);
  return failure('AlreadyExists', `${qualified(resource)} ${quote(name)} already exists`, details, options);
}

/** For `generateName` when every attempt collided. */
export function generateNameConflict(resource: GroupResource, name: string, retryAfterSeconds: number): StatusError {
  const text = `${qualified(resource)} ${quote(name)} already exists, the server was not able to generate a unique name for the object`;
  return failure('AlreadyExists', text, { ...resourceDetails(resource, name), retryAfterSeconds });
}

/** @default detail the text of a lost optimistic lock */
export function conflict(
  resource: GroupResource,
  name: string,
  detail = 'the object has been modified; please apply your changes to the latest version and try again',
  options?: Options,
): StatusError {
  const text = `Operation cannot be fulfilled on ${qualified(resource)} ${quote(name)}: ${detail}`;
  return failure('Conflict', text, resourceDetails(resource, name), options);
}

/** A conflict of server-side apply: one cause per field that another manager owns. */
export function applyConflict(causes: readonly StatusCause[], message: string): StatusError {
  return failure('Conflict', message, { causes });
}

export function invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const label = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
  const text = aggregateText(errors);
  const causes = errors.map(({ type, field, message }) => ({ reason: type, message, field }));
  const details: StatusDetails = {
    ...(name === '' ? {} : { name }),
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.kind,
    ...(causes.length === 0 ? {} : { causes }),
  };
  return failure('Invalid', `${label} ${quote(name)} is invalid${text === '' ? '' : `: ${text}`}`, details);
}

export function badRequest(message: string, options?: Options): StatusError {
  return failure('BadRequest', message, undefined, options);
}

export function unauthorized(message = 'Unauthorized'): StatusError {
  return failure('Unauthorized', message);
}

/** @param resource undefined for requests that name no resource */
export function forbidden(resource: GroupResource | undefined, name: string, detail: string): StatusError {
  if (resource === undefined || qualified(resource) === '') return failure('Forbidden', `forbidden: ${detail}`, {});
  const subject = name === '' ? qualified(resource) : `${qualified(resource)} ${quote(name)}`;
  return failure('Forbidden', `${subject} is forbidden: ${detail}`, resourceDetails(resource, name));
}

export function gone(message: string): StatusError {
  return failure('Gone', message);
}

/** For a resourceVersion or continue token that was compacted away. */
export function expired(message: string, options?: Options): StatusError {
  return failure('Expired', message, undefined, options);
}

export function tooManyRequests(
  message: string,
  retryAfterSeconds: number,
  causes?: readonly StatusCause[],
): StatusError {
  const details = {
    ...(causes === undefined ? {} : { causes }),
    ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}),
  };
  return failure('TooManyRequests', message, details);
}

export function serviceUnavailable(message: string, options?: Options): StatusError {
  return failure('ServiceUnavailable', message, undefined, options);
}

export function methodNotSupported(resource: GroupResource, action: string): StatusError {
  const text = `${action} is not supported on resources of kind ${quote(qualified(resource))}`;
  return failure('MethodNotAllowed', text, resourceDetails(resource, ''));
}

/** A transient failure: the client may try again after a delay. */
export function serverTimeout(resource: GroupResource, operation: string, retryAfterSeconds: number): StatusError {
  const text = `The ${operation} operation against ${qualified(resource)} could not be completed at this time, please try again.`;
  const details = { ...resourceDetails(resource, operation), ...(retryAfterSeconds > 0 ? { retryAfterSeconds } : {}) };
  return failure('ServerTimeout', text, details);
}

/** The operation may still complete. */
export function timeout(message: string, retryAfterSeconds = 0): StatusError {
  return failure('Timeout', `Timeout: ${message}`, retryAfterSeconds > 0 ? { retryAfterSeconds } : {});
}

export function internalError(message: string, options?: Options): StatusError {
  return failure('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, options);
}

export function requestEntityTooLarge(message: string): StatusError {
  return failure('RequestEntityTooLarge', `Request entity too large: ${message}`);
}

export function unsupportedMediaType(message: string): StatusError {
  return failure('UnsupportedMediaType', message);
}

export function notAcceptable(message: string): StatusError {
  return failure('NotAcceptable', message);
}

/** Whether the error, or one of its causes, is a StatusError of this reason (or, with an unknown reason, this code). */
export function hasReason(error: unknown, reason: StatusReason): boolean {
  const found = statusErrorOf(error);
  if (found === undefined) return false;
  return found.reason === reason || (!isStatusReason(found.reason) && found.code === codeOfReason[reason]);
}

/** The StatusError that an error is or was caused by. */
export function statusErrorOf(error: unknown): StatusError | undefined {
  for (let current = error; current instanceof Error; current = current.cause) {
    if (current instanceof StatusError) return current;
  }
  return undefined;
}

export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound');
export const isAlreadyExists = (error: unknown): boolean => statusErrorOf(error)?.reason === 'AlreadyExists';
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict');
export const isInvalid = (error: unknown): boolean => hasReason(error, 'Invalid');
export const isForbidden = (error: unknown): boolean => hasReason(error, 'Forbidden');
export const isUnauthorized = (error: unknown): boolean => hasReason(error, 'Unauthorized');
/** Both reasons that mean "that revision is no longer kept; list again". */
export const isExpired = (error: unknown): boolean => statusErrorOf(error)?.code === 410;
export const isTooManyRequests = (error: unknown): boolean => statusErrorOf(error)?.code === 429;

function resourceDetails({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource };
}

function failure(reason: StatusReason, message: string, details?: StatusDetails, options?: Options): StatusError {
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code: codeOfReason[reason],
  };
  return new StatusError(status, options);
}
