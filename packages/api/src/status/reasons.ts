// The one table of reasons and HTTP codes.

/** Code that the API server answers for each reason of a `Status`. */
export const codeOfReason = {
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Invalid: 422,
  ServerTimeout: 500,
  StoreReadError: 500,
  Timeout: 504,
  TooManyRequests: 429,
  BadRequest: 400,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  InternalError: 500,
  Expired: 410,
  ServiceUnavailable: 503,
} as const;

export type StatusReason = keyof typeof codeOfReason;

export function isStatusReason(text: string): text is StatusReason {
  return Object.hasOwn(codeOfReason, text);
}
