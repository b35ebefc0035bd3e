import {
  badRequest,
  type FieldRequirement,
  forbidden,
  internalError,
  parseFieldSelector,
  StatusError,
  timeout,
} from '@wherry/api';
import type { Clock, Logger, Random } from '@wherry/daemon';
import { type Authorizer, attributesOf, forbiddenText } from '../auth/attributes.ts';
import type { Authenticator } from '../auth/authenticate.ts';
import { groups, type UserInfo } from '../auth/identity.ts';
import { impersonated } from '../auth/impersonate.ts';
import type { Routes } from '../discovery/routes.ts';
import type { Registry, ResourceRequest } from '../registry/context.ts';
import { type Dispatcher, pageNotFound } from '../registry/dispatch.ts';
import type { KindTable, ServedKind } from '../registry/served-kind.ts';
import { compress } from './compress.ts';
import type { ApiRequest, ApiResponse, Handle } from './exchange.ts';
import { type Inflight, isLongRunning, isMutating } from './inflight.ts';
import {
  type Encoding,
  negotiate,
  negotiateStream,
  type ObjectForm,
  plainJson,
  type Representation,
} from './negotiate.ts';
import { messageOf } from './protobuf/messages.ts';
import { isTrue, MalformedPath, parseRequestInfo, type RequestInfo } from './request-info.ts';
import type { RequestMetrics } from './request-metrics.ts';
import { statusResponse, textResponse, warningHeader } from './respond.ts';

/** Upstream's --request-timeout. */
const REQUEST_MS_MAX = 60_000;

export interface HandlerOptions {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly inflight: Inflight;
  readonly kinds: KindTable;
  readonly registry: Registry;
  readonly dispatcher: Dispatcher;
  readonly routes: Routes;
  readonly metrics: RequestMetrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

const noQuery = new URLSearchParams();
const allForms: readonly ObjectForm[] = ['object', 'table', 'partial'];
const objectOnly: readonly ObjectForm[] = ['object'];
const allEncodings: readonly Encoding[] = ['json', 'yaml', 'protobuf'];
/** Of kinds without a protobuf message, such as custom resources. */
const textEncodings: readonly Encoding[] = ['json', 'yaml'];

/** The whole way of a request: limits, who, whether, what. */
export function createHandler(options: HandlerOptions): Handle {
  const { clock, metrics, logger, random } = options;
  return async (request, signal) => {
    const startedMs = clock.monotonicMs();
    const auditId = request.header('audit-id') ?? random.uuid();
    const query = request.query === '' ? noQuery : new URLSearchParams(request.query);
    let info: RequestInfo;
    try {
      info = parseRequestInfo(request.method, request.path, query);
    } catch (error) {
      if (!(error instanceof MalformedPath)) {
        throw error;
      }
      const refused = badRequest(error.message, { cause: error });
      return withHeader(statusResponse(refused, errorForm(request, query)), 'audit-id', auditId);
    }
    const warnings: string[] = [];
    let response: ApiResponse;
    try {
      response = await serve(options, request, info, query, warnings, signal);
    } catch (error) {
      response = refusal(error, request, info, query, logger);
    }
    response = withHeader(response, 'audit-id', auditId);
    response.headers['cache-control'] ??= 'no-cache, private';
    if (warnings.length > 0) {
      response = withHeader(response, 'warning', warnings.map(warningHeader));
    }
    metrics.observe(info, request.method, response.status, clock.monotonicMs() - startedMs);
    return compress(request, response);
  };
}

function refusal(
  error: unknown,
  request: ApiRequest,
  info: RequestInfo,
  query: URLSearchParams,
  logger: Logger,
): ApiResponse {
  const how = errorForm(request, query);
  if (error instanceof StatusError) {
    if (error.code >= 500) {
      logger.warn({ err: error, method: request.method, path: info.path }, 'request failed');
    }
    return statusResponse(error, how);
  }
  logger.error({ err: error, method: request.method, path: info.path }, 'request met a defect');
  return statusResponse(internalError(error instanceof Error ? error.message : String(error)), how);
}

/** A Status comes as the client takes it; one who takes nothing that we have gets JSON, not another error. */
function errorForm(request: ApiRequest, query: URLSearchParams): Representation {
  try {
    return negotiate(request.header('accept'), isPretty(query), objectOnly);
  } catch {
    return plainJson;
  }
}

function isPretty(query: URLSearchParams): boolean {
  return query !== noQuery && isTrue(query.get('pretty'));
}

function withHeader(response: ApiResponse, name: string, value: string | readonly string[]): ApiResponse {
  response.headers[name] = value;
  return response;
}

async function serve(
  options: HandlerOptions,
  request: ApiRequest,
  info: RequestInfo,
  query: URLSearchParams,
  warnings: string[],
  signal: AbortSignal,
): Promise<ApiResponse> {
  const caller = await options.authenticator.authenticate(request);
  const user = impersonated(request, caller, options.authorizer);
  const longRunning = isLongRunning(info.verb, info.subresource);
  const mutating = isMutating(info.verb);
  // Administrators must get through to a server that others keep busy.
  const counted = !longRunning && !user.groups.includes(groups.masters);
  if (counted && !options.inflight.enter(mutating)) {
    return textResponse(429, 'Too many requests, please try again later.\n', { 'retry-after': '1' });
  }
  try {
    authorize(options.authorizer, user, info, query);
    if (!info.isResourceRequest) {
      return (await options.routes.answer(request, query)) ?? textResponse(404, '404 page not found\n');
    }
    const answer = resource(options, request, info, query, user, warnings, signal);
    return await (longRunning ? answer : withDeadline(answer, options.clock));
  } finally {
    if (counted) {
      options.inflight.leave(mutating);
    }
  }
}

function authorize(authorizer: Authorizer, user: UserInfo, info: RequestInfo, query: URLSearchParams): void {
  const attributes = attributesOf(user, info, fieldsOf(query));
  const decision = authorizer.authorize(attributes);
  if (decision.kind !== 'allow') {
    const about = info.isResourceRequest ? { group: info.group, resource: info.resource } : undefined;
    throw forbidden(about, info.name, forbiddenText(attributes, decision.reason));
  }
}

const noFields: readonly FieldRequirement[] = [];

function fieldsOf(query: URLSearchParams): readonly FieldRequirement[] {
  const text = query === noQuery ? null : query.get('fieldSelector');
  if (text === null || text === '') {
    return noFields;
  }
  try {
    return parseFieldSelector(text);
  } catch {
    // The list itself will refuse it, with the right words; a right that depends on it is not given.
    return noFields;
  }
}

async function resource(
  options: HandlerOptions,
  request: ApiRequest,
  info: RequestInfo,
  query: URLSearchParams,
  user: UserInfo,
  warnings: string[],
  signal: AbortSignal,
): Promise<ApiResponse> {
  const kind = options.kinds.find(info.group, info.version, info.resource);
  if (kind === undefined) {
    return options.kinds.hasGroupVersion(info.group, info.version)
      ? statusResponse(pageNotFound(), errorForm(request, query))
      : textResponse(404, '404 page not found\n');
  }
  const how = representation(request, info, query, kind);
  const from: ResourceRequest = { registry: options.registry, request, info, query, user, kind, signal, how, warnings };
  return options.dispatcher.dispatch(from);
}

function representation(
  request: ApiRequest,
  info: RequestInfo,
  query: URLSearchParams,
  kind: ServedKind,
): Representation {
  if (isLongRunning('', info.subresource)) {
    // What is passed through from a node or a pod is in whatever form it has.
    return plainJson;
  }
  const whole = info.subresource === '' || info.subresource === 'status';
  const forms = whole && hasTable(kind) ? allForms : objectOnly;
  const accept = request.header('accept');
  const encodings = messageOf(kind.apiVersion, kind.resource.kind) === undefined ? textEncodings : allEncodings;
  return info.verb === 'watch'
    ? negotiateStream(accept, forms, encodings)
    : negotiate(accept, isPretty(query), forms, encodings);
}

/** Reviews and bindings are answered, not kept: there is nothing to make rows of. */
function hasTable({ stored, resource: { verbs } }: ServedKind): boolean {
  return stored !== undefined || verbs.includes('list');
}

function withDeadline<T>(answer: Promise<T>, clock: Clock): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(REQUEST_MS_MAX, () =>
      reject(timeout('request did not complete within the allotted timeout')),
    );
    answer.then(
      (value) => {
        timer.cancel();
        resolve(value);
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
}
