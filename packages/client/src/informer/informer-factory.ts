import type { ApiObject, Resource } from '@wherry/api';
import type { Clock, Logger, Random, Scope } from '@wherry/daemon';
import type { ApiClient } from '../api/api-client.ts';
import type { IndexFunction } from './indexer.ts';
import { type Informer, InformerCache, withoutManagedFields } from './informer.ts';
import { reflect } from './reflector.ts';

export interface InformerOptions<T extends ApiObject> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexers?: Readonly<Record<string, IndexFunction<T>>>;
  /** What to keep of each object; managedFields are dropped in any case. */
  readonly project?: (object: T) => T;
}

export interface InformerFactoryOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Owns the reflectors. */
  readonly scope: Scope;
}

/** Makes informers that live as long as its scope. Two calls make two caches: share the informer, not the call. */
export class InformerFactory {
  readonly #options: InformerFactoryOptions;

  constructor(options: InformerFactoryOptions) {
    this.#options = options;
  }

  informer<T extends ApiObject>(resource: Resource<T>, options: InformerOptions<T> = {}): Informer<T> {
    const { client, clock, random, logger, scope } = this.#options;
    const { indexers = {}, project, ...selection } = options;
    const keep = project === undefined ? withoutManagedFields<T> : (object: T) => project(withoutManagedFields(object));
    const cache = new InformerCache<T>(indexers, keep);
    scope.run(`reflect ${resource.resource}`, (signal) =>
      reflect({ client, resource, cache, clock, random, logger, ...selection }, signal),
    );
    return cache;
  }
}
