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
    throw refused(`: ${(cause as Error).message}`, { cause });
  }
  const { v, rv, start } = (value ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== VERSION) {
    throw refused(`: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) {
    throw refused(`: incorrect encoded start resourceVersion (version ${VERSION})`);
  }
  if (typeof start !== 'string' || start === '') {
    throw refused(`: encoded start key empty (version ${VERSION})`);
  }
  // A token leads nowhere but into its own resource.
  if (!/^\/?[^/]+(\/[^/]+)*$/.test(start) || start.split('/').some((part) => part === '.' || part === '..')) {
    throw refused(`: ${start}`);
  }
  return { revision: rv, start };
}

function refused(why: string, options?: ErrorOptions): StatusError {
  return badRequest(`invalid continue token: continue key is not valid${why}`, options);
}

/** 410 with a token that goes on without consistency. */
export function continueExpired(start: string): StatusError {
  const error = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  const status = { ...error.status, metadata: { continue: encodeContinue({ revision: -1, start }) } };
  return Object.assign(error, { status });
}
