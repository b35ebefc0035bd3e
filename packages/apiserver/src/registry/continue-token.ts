import { badRequest, expired, type StatusError } from '@wherry/api';

/** Where a limited list goes on: after which key, in which revision. Valid on any server, also after a restart. */
export interface ContinueToken {
  /** -1: in whatever is the newest revision (what an expired token is exchanged for). */
  readonly revision: number;
  /** Key relative to the resource's prefix; the list goes on with it. */
  readonly start: string;
}

const VERSION = 'meta.k8s.io/v1';

export function encodeContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: token.revision, start: token.start })).toString('base64url');
}

/** @throws StatusError BadRequest */
export function decodeContinue(text: string): ContinueToken {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (cause) {
    throw badRequest(`continue key is not valid: ${(cause as Error).message}`, { cause });
  }
  const { v, rv, start } = (value ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== VERSION) {
    throw badRequest(`continue key is not valid: server does not recognize this encoded version ${JSON.stringify(v)}`);
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || typeof start !== 'string' || start === '') {
    throw badRequest('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (start.split('/').some((part) => part === '.' || part === '..')) {
    throw badRequest(`continue key is not valid: ${start}`);
  }
  return { revision: rv, start };
}

/** 410 with a token that goes on without consistency. */
export function continueExpired(start: string): StatusError {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  const status = { ...error.status, metadata: { continue: encodeContinue({ revision: -1, start }) } };
  return Object.assign(error, { status });
}
