import { openApiV2Document, openApiV3Document, openApiV3Index, resourceTable } from '@wherry/api';
import type { Health, Metrics } from '@wherry/daemon';
import type { ServiceAccountTokens } from '../auth/service-account-tokens.ts';
import type { ApiRequest, ApiResponse, Headers } from '../http/exchange.ts';
import { mediaTypes, negotiate, plainJson, ranges } from '../http/negotiate.ts';
import { encodeObject } from '../http/protobuf/encode.ts';
import { jsonBytesResponse, textResponse, valueResponse } from '../http/respond.ts';
import { buildDiscovery, type Discovery, type Document } from './discovery.ts';
import { openApiV2Protobuf } from './open-api-v2-protobuf.ts';
import { KUBERNETES_VERSION, type VersionInfo } from './version.ts';

/** The answer's media type; clients ask for it by this name or with an `@`, which no Content-Type may have. */
const PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobufAccepted = [PROTOBUF_TYPE, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'] as const;

export interface RouteOptions {
  readonly health: Health;
  readonly metrics: Metrics;
  readonly tokens: ServiceAccountTokens;
  readonly version: VersionInfo;
  /** `host:port` that clients are told. */
  readonly serverAddress: string;
}

/** Everything that is not a resource: discovery, OpenAPI, version, health, metrics, OIDC discovery. */
export class Routes {
  readonly #options: RouteOptions;
  readonly #discovery: Discovery;
  readonly #openApi = new Map<string, Buffer>();
  #openApiProtobuf: Buffer | undefined;

  constructor(options: RouteOptions) {
    this.#options = options;
    this.#discovery = buildDiscovery(resourceTable, options.serverAddress);
  }

  /** Undefined: no such path. */
  async answer(request: ApiRequest, query: URLSearchParams): Promise<ApiResponse | undefined> {
    const path = request.path.length > 1 && request.path.endsWith('/') ? request.path.slice(0, -1) : request.path;
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return undefined;
    }
    const [, first = '', second, third, ...rest] = path.split('/');
    switch (first) {
      case '':
        return valueResponse(200, { paths: this.#paths() }, plainJson);
      case 'version':
        return second === undefined
          ? valueResponse(200, this.#options.version, negotiate(undefined, true, ['object']))
          : undefined;
      case 'healthz':
      case 'livez':
      case 'readyz':
        return this.#health(path, query);
      case 'metrics':
        return second === undefined ? this.#metrics() : undefined;
      case 'api':
        return rest.length > 0 || third !== undefined ? undefined : this.#core(request, second);
      case 'apis':
        return rest.length > 0 ? undefined : this.#groups(request, second, third);
      case 'openapi':
        return this.#openApiAnswer(
          request,
          second,
          [third, ...rest].filter((part) => part !== undefined).join('/'),
          query,
        );
      case '.well-known':
        return second === 'openid-configuration' ? this.#openIdConfiguration() : undefined;
      case 'openid':
        return second === 'v1' && third === 'jwks' ? this.#publicKeys() : undefined;
      default:
        return undefined;
    }
  }

  #core(request: ApiRequest, version: string | undefined): ApiResponse | undefined {
    if (version !== undefined) {
      return this.#document(request, this.#discovery.resources.get(version));
    }
    const aggregated = aggregatedType(request);
    return aggregated !== undefined
      ? this.#aggregated(request, this.#discovery.aggregatedCore, aggregated)
      : this.#document(request, this.#discovery.core);
  }

  #groups(request: ApiRequest, group: string | undefined, version: string | undefined): ApiResponse | undefined {
    if (group === undefined) {
      const aggregated = aggregatedType(request);
      return aggregated !== undefined
        ? this.#aggregated(request, this.#discovery.aggregatedGroups, aggregated)
        : this.#document(request, this.#discovery.groups);
    }
    if (version === undefined) {
      return this.#document(request, this.#discovery.group.get(group));
    }
    return this.#document(request, this.#discovery.resources.get(`${group}/${version}`));
  }

  #document(request: ApiRequest, found: Document | undefined): ApiResponse | undefined {
    return found === undefined
      ? undefined
      : jsonBytesResponse(200, found.bytes, negotiate(request.header('accept'), false, ['object']));
  }

  #aggregated(request: ApiRequest, found: Document, encoding: 'json' | 'protobuf'): ApiResponse {
    const headers: Headers = {
      'content-type': `${mediaTypes[encoding]};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`,
      etag: found.etag,
      vary: 'Accept',
      'cache-control': 'public',
    };
    if (request.header('if-none-match') === found.etag) {
      return { kind: 'bytes', status: 304, headers, body: Buffer.alloc(0) };
    }
    const body = encoding === 'json' ? found.bytes : encodeObject(JSON.parse(found.bytes.toString()) as object);
    return { kind: 'bytes', status: 200, headers, body };
  }

  async #health(path: string, query: URLSearchParams): Promise<ApiResponse | undefined> {
    const answer = await this.#options.health.answer(path, query.has('verbose'));
    return answer === undefined ? undefined : textResponse(answer.status, answer.body);
  }

  async #metrics(): Promise<ApiResponse> {
    const { registry } = this.#options.metrics;
    return {
      kind: 'bytes',
      status: 200,
      headers: { 'content-type': registry.contentType },
      body: Buffer.from(await registry.metrics()),
    };
  }

  #openApiAnswer(
    request: ApiRequest,
    version: string | undefined,
    rest: string,
    query: URLSearchParams,
  ): ApiResponse | undefined {
    if (version === 'v2' && rest === '') {
      const accept = request.header('accept') ?? '';
      if (protobufAccepted.some((name) => accept.includes(name))) return this.#openApiV2Protobuf();
      negotiate(request.header('accept'), false, ['object'], ['json']);
      return cached(
        this.#openApiBytes('v2', () => openApiV2Document(KUBERNETES_VERSION)),
        {},
      );
    }
    if (version !== 'v3') {
      return undefined;
    }
    if (rest === '') {
      return cached(this.#openApiBytes('v3', openApiV3Index), {});
    }
    negotiate(request.header('accept'), false, ['object'], ['json']);
    const bytes = this.#openApiBytes(rest, () => openApiV3Document(rest));
    // The hash in the URL stands for this content, so it may be kept for ever.
    return cached(bytes, query.has('hash') ? { 'cache-control': 'public, immutable', vary: 'Accept' } : {});
  }

  #openApiV2Protobuf(): ApiResponse {
    this.#openApiProtobuf ??= openApiV2Protobuf(openApiV2Document(KUBERNETES_VERSION));
    return { kind: 'bytes', status: 200, headers: { 'content-type': PROTOBUF_TYPE }, body: this.#openApiProtobuf };
  }

  #openApiBytes(name: string, make: () => unknown): Buffer | undefined {
    let bytes = this.#openApi.get(name);
    if (bytes === undefined) {
      const value = make();
      if (value === undefined) {
        return undefined;
      }
      bytes = Buffer.from(JSON.stringify(value));
      this.#openApi.set(name, bytes);
    }
    return bytes;
  }

  #openIdConfiguration(): ApiResponse {
    const { issuer } = this.#options.tokens;
    return valueResponse(
      200,
      {
        issuer,
        jwks_uri: `https://${this.#options.serverAddress}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      },
      plainJson,
      { 'cache-control': 'public, max-age=3600' },
    );
  }

  async #publicKeys(): Promise<ApiResponse> {
    const keys = await this.#options.tokens.publicKeys();
    return valueResponse(200, { keys }, plainJson, {
      'content-type': 'application/jwk-set+json',
      'cache-control': 'public, max-age=3600',
    });
  }

  #paths(): readonly string[] {
    const { resources, group } = this.#discovery;
    const groups = [...group.keys()].map((name) => `/apis/${name}`);
    const versions = [...resources.keys()].map((name) => (name === 'v1' ? '/api/v1' : `/apis/${name}`));
    const others = ['/.well-known/openid-configuration', '/api', '/apis', '/healthz', '/livez', '/metrics'];
    return [
      ...others,
      '/openapi/v2',
      '/openapi/v3',
      '/openid/v1/jwks',
      '/readyz',
      '/version',
      ...groups,
      ...versions,
    ].sort();
  }
}

/** Undefined: the client wants, or also takes first, the classic documents. */
function aggregatedType(request: ApiRequest): 'json' | 'protobuf' | undefined {
  const accept = request.header('accept');
  if (accept === undefined) {
    return undefined;
  }
  for (const { type, parameters } of ranges(accept)) {
    const encoding = type === mediaTypes.protobuf ? 'protobuf' : 'json';
    if (encoding === 'protobuf' || type === mediaTypes.json || type === '*/*') {
      const asked = parameters['as'] === 'APIGroupDiscoveryList' && parameters['g'] === 'apidiscovery.k8s.io';
      if (asked && parameters['v'] === 'v2') {
        return encoding;
      }
      if (parameters['as'] === undefined) {
        return undefined;
      }
    }
  }
  return undefined;
}

function cached(bytes: Buffer | undefined, headers: Headers): ApiResponse | undefined {
  return bytes === undefined
    ? undefined
    : { kind: 'bytes', status: 200, headers: { 'content-type': 'application/json', ...headers }, body: bytes };
}
