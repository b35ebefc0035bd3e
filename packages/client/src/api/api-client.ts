import { type ApiList, type ApiObject, type Resource, type Status, StatusError } from '@wherry/api';
import { type ApiRequest, type ApiResponse, readBody, type Transport } from '../transport/transport.ts';
import { type WatchEvent, watchEvents } from '../watch/watch-stream.ts';
import {
  type ApplyOptions,
  type CreateOptions,
  type DeleteCollectionOptions,
  type DeleteOptions,
  type GetOptions,
  type ListOptions,
  type PatchOptions,
  type PatchType,
  queryText,
  type WatchOptions,
  type WriteOptions,
} from './options.ts';
import { collectionPath, objectPath } from './paths.ts';

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/**
 * Typed access to the API. Every method throws a StatusError when the server refuses, and the transport's own error
 * when no answer came. Nothing is retried here: whether a lost write may be sent again is the caller's knowledge.
 */
export class ApiClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  get<T extends ApiObject>(resource: Resource<T>, name: string, options: GetOptions = {}): Promise<T> {
    const path = objectPath(resource, name, options.namespace, options.subresource);
    return this.#json('GET', path + queryText({ resourceVersion: options.resourceVersion }), options);
  }

  list<T extends ApiObject>(resource: Resource<T>, options: ListOptions = {}): Promise<ApiList<T>> {
    const { labelSelector, fieldSelector, limit, resourceVersion, resourceVersionMatch } = options;
    const query = queryText({
      labelSelector,
      fieldSelector,
      limit,
      continue: options.continue,
      resourceVersion,
      resourceVersionMatch,
    });
    return this.#json('GET', collectionPath(resource, options.namespace) + query, options);
  }

  /** @returns what the server stored; for a subresource (binding, eviction, token) whatever it answers */
  create<T extends ApiObject>(resource: Resource<T>, object: T, options: CreateOptions = {}): Promise<T> {
    const namespace = options.namespace ?? object.metadata?.namespace;
    if (resource.namespaced && namespace === undefined) {
      throw new TypeError(`Cannot create in ${resource.resource}: it needs a namespace`);
    }
    const name = options.name ?? object.metadata?.name ?? '';
    const path =
      options.subresource === undefined
        ? collectionPath(resource, namespace)
        : objectPath(resource, name, namespace, options.subresource);
    return this.#json('POST', path + writeQuery(options), options, typed(resource, object, options.subresource));
  }

  update<T extends ApiObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { name = '', namespace } = object.metadata ?? {};
    const path = objectPath(resource, name, options.namespace ?? namespace, options.subresource);
    return this.#json('PUT', path + writeQuery(options), options, typed(resource, object, options.subresource));
  }

  patch<T extends ApiObject>(
    resource: Resource<T>,
    name: string,
    patch: unknown,
    options: PatchOptions = {},
  ): Promise<T> {
    const path = objectPath(resource, name, options.namespace, options.subresource);
    const query = queryText({
      dryRun: options.dryRun === true ? 'All' : undefined,
      fieldManager: options.fieldManager,
      fieldValidation: options.fieldValidation,
      force: options.force,
    });
    return this.#json('PATCH', path + query, options, patch, PATCH_CONTENT_TYPES[options.type ?? 'merge']);
  }

  /**
   * Server-side apply: the object becomes as stated, whether it exists or not, and what this manager stated before and
   * states no more goes. `config` need not be whole.
   * @throws StatusError with reason Conflict and a cause for each field that another manager owns
   */
  apply<T extends ApiObject>(resource: Resource<T>, config: ApiObject, options: ApplyOptions): Promise<T> {
    const { name = '', namespace } = config.metadata ?? {};
    const scope = options.namespace ?? namespace;
    const stated = typed(resource, config as T, options.subresource);
    return this.patch(resource, name, stated, {
      ...options,
      ...(scope === undefined ? {} : { namespace: scope }),
      type: 'apply',
    });
  }

  /** @returns the object when it ends gracefully, otherwise a Status */
  delete<T extends ApiObject>(resource: Resource<T>, name: string, options: DeleteOptions = {}): Promise<T | Status> {
    return this.#json('DELETE', objectPath(resource, name, options.namespace), options, deleteBody(options));
  }

  deleteCollection(resource: Resource, options: DeleteCollectionOptions = {}): Promise<unknown> {
    const { labelSelector, fieldSelector } = options;
    const path = collectionPath(resource, options.namespace) + queryText({ labelSelector, fieldSelector });
    return this.#json('DELETE', path, options, deleteBody(options));
  }

  /**
   * Events until the server ends the stream, the signal aborts or the caller stops reading.
   * @throws StatusError for a refused watch and for an ERROR event, for example reason Expired
   */
  async *watch<T extends ApiObject>(resource: Resource<T>, options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    const { labelSelector, fieldSelector, resourceVersion, allowWatchBookmarks, timeoutSeconds } = options;
    const query = queryText({
      watch: true,
      labelSelector,
      fieldSelector,
      resourceVersion,
      allowWatchBookmarks,
      timeoutSeconds,
    });
    const response = await this.raw({
      method: 'GET',
      path: collectionPath(resource, options.namespace) + query,
      headers: { accept: 'application/json' },
      multiplexed: true,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    yield* watchEvents<T>(response.body);
  }

  /** Any request. @throws StatusError unless the status is 2xx (or 101) */
  async raw(request: ApiRequest): Promise<ApiResponse> {
    const response = await this.#transport.request(request);
    if (response.status >= 200 && response.status < 300) return response;
    throw await errorOf(response, request);
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  async #json<R>(
    method: ApiRequest['method'],
    path: string,
    options: { readonly signal?: AbortSignal; readonly multiplexed?: boolean },
    body?: unknown,
    contentType = 'application/json',
  ): Promise<R> {
    const response = await this.raw({
      method,
      path,
      headers: body === undefined ? ACCEPT : { ...ACCEPT, 'content-type': contentType },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(options.multiplexed === true ? { multiplexed: true } : {}),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    const bytes = await readBody(response);
    return JSON.parse(bytes.toString('utf8')) as R;
  }
}

const ACCEPT = { accept: 'application/json' } as const;

function writeQuery(options: WriteOptions): string {
  const { fieldManager, fieldValidation } = options;
  return queryText({ dryRun: options.dryRun === true ? 'All' : undefined, fieldManager, fieldValidation });
}

/** Objects from lists carry no apiVersion and kind: the resource knows them. A subresource has a kind of its own. */
function typed<T extends ApiObject>(resource: Resource<T>, object: T, subresource: string | undefined): T {
  if (object.kind !== undefined || (subresource !== undefined && subresource !== 'status')) return object;
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  return { apiVersion, kind: resource.kind, ...object };
}

function deleteBody(options: DeleteOptions): unknown {
  const { gracePeriodSeconds, propagationPolicy, preconditions, dryRun } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  };
}

async function errorOf(response: ApiResponse, request: ApiRequest): Promise<StatusError> {
  const text = (await readBody(response)).toString('utf8');
  try {
    const status: unknown = JSON.parse(text);
    if (typeof status === 'object' && status !== null && 'kind' in status && status.kind === 'Status') {
      return new StatusError(status as Status);
    }
  } catch {
    // Not JSON: a proxy or another server answered; its words are kept below.
  }
  return new StatusError({
    status: 'Failure',
    code: response.status,
    reason: response.status === 429 ? 'TooManyRequests' : 'Unknown',
    message: `${request.method} ${request.path} was answered with ${response.status}: ${text.slice(0, 500)}`,
  });
}
