import { StatusError } from '@wherry/api';
import type { Reviews } from '../auth/reviews.ts';
import type { ServiceAccountTokens } from '../auth/service-account-tokens.ts';
import type { ApiResponse } from '../http/exchange.ts';
import type { NodeConnections } from '../proxying/node-connections.ts';
import type { Bookmarks } from './bookmarks.ts';
import { type ComponentProbes, componentStatuses } from './component-status.ts';
import type { ResourceRequest, StoredRequest } from './context.ts';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { deleteCollection } from './delete-collection.ts';
import { patch } from './patch.ts';
import { get, list } from './read.ts';
import type { KindTable, StoredKind } from './served-kind.ts';
import { bind } from './subresources/binding.ts';
import { evict } from './subresources/eviction.ts';
import { scale } from './subresources/scale.ts';
import { requestToken } from './subresources/token-request.ts';
import { update } from './update.ts';
import { watch } from './watch.ts';

export interface DispatchOptions {
  readonly kinds: KindTable;
  readonly reviews: Reviews;
  readonly tokens: ServiceAccountTokens;
  readonly bookmarks: Bookmarks;
  readonly nodes: NodeConnections;
  readonly probes: ComponentProbes;
}

const connectSubresources = new Set(['log', 'exec', 'attach', 'portforward', 'proxy']);

/** What clients are told about kinds that upstream gives up. */
const deprecations: Readonly<Record<string, string>> = {
  'v1/componentstatuses': 'v1 ComponentStatus is deprecated in v1.19+',
  'v1/endpoints': 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
};

/** Leads a request on a resource to the function that carries it out. */
export class Dispatcher {
  readonly #options: DispatchOptions;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** @throws StatusError */
  dispatch(from: ResourceRequest): Promise<ApiResponse> {
    const { info, kind } = from;
    const warning = deprecations[`${kind.apiVersion}/${info.resource}`];
    if (warning !== undefined) {
      from.warnings.push(warning);
    }
    if (connectSubresources.has(info.subresource)) {
      this.#checkSubresource(from);
      return this.#options.nodes.connect(from);
    }
    if (!this.#offers(from)) {
      return Promise.reject(notAllowed());
    }
    if (kind.stored === undefined) {
      return this.#virtual(from);
    }
    return info.subresource === ''
      ? this.#object({ ...from, stored: kind.stored })
      : this.#subresource({ ...from, stored: kind.stored });
  }

  #offers(from: ResourceRequest): boolean {
    const { info, kind } = from;
    if (info.subresource === '') {
      return kind.resource.verbs.includes(info.verb);
    }
    const subresource = this.#checkSubresource(from);
    return subresource.verbs.includes(info.verb);
  }

  #checkSubresource({ info, kind }: ResourceRequest) {
    const found = kind.resource.subresources.find(({ name }) => name === info.subresource);
    if (found === undefined) {
      throw pageNotFound();
    }
    return found;
  }

  #object(from: StoredRequest): Promise<ApiResponse> {
    switch (from.info.verb) {
      case 'get':
        return get(from);
      case 'list':
        return list(from);
      case 'watch':
        return watch(from, this.#options.bookmarks);
      case 'create':
        return create(from);
      case 'update':
        return update(from);
      case 'patch':
        return patch(from);
      case 'delete':
        return remove(from);
      case 'deletecollection':
        return deleteCollection(from);
      default:
        return Promise.reject(notAllowed());
    }
  }

  #subresource(from: StoredRequest): Promise<ApiResponse> {
    switch (from.info.subresource) {
      case 'scale':
        return scale(from);
      case 'binding':
        return bind(from, from.stored);
      case 'eviction':
        return evict(from, this.#storedKind('policy', 'poddisruptionbudgets'));
      case 'token':
        return requestToken(from, this.#options.tokens);
      default:
        return this.#ownShape(from);
    }
  }

  /** status, finalize, approval, ephemeralcontainers, resize: the object itself, other parts of it writable. */
  #ownShape(from: StoredRequest): Promise<ApiResponse> {
    switch (from.info.verb) {
      case 'get':
        return get(from);
      case 'update':
        return update(from);
      case 'patch':
        return patch(from);
      default:
        return Promise.reject(notAllowed());
    }
  }

  #virtual(from: ResourceRequest): Promise<ApiResponse> {
    switch (from.kind.resource.resource) {
      case 'bindings':
        return bind(from, this.#storedKind('', 'pods'));
      case 'componentstatuses':
        return componentStatuses(from, this.#options.probes);
      default:
        return this.#options.reviews.create(from);
    }
  }

  #storedKind(group: string, resource: string): StoredKind {
    const { stored } = this.#options.kinds.storedVersion(group, resource);
    if (stored === undefined) {
      throw new Error(`${resource} is not stored`);
    }
    return stored;
  }
}

export function notAllowed(): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server does not allow this method on the requested resource',
    reason: 'MethodNotAllowed',
    details: {},
    code: 405,
  });
}

export function pageNotFound(): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'the server could not find the requested resource',
    reason: 'NotFound',
    details: {},
    code: 404,
  });
}
