import {
  type ApiObject,
  alreadyExists,
  conflict,
  notFound,
  type ObjectMeta,
  type Resource,
  resourceTable,
  type Status,
  StatusError,
} from '@wherry/api';
import { ApiClient, type ApiRequest, type ApiResponse, type Transport } from '@wherry/client';
import { type Clock, type Random, randomSuffix, rfc3339 } from '@wherry/daemon';
import { mergePatch, strategicPatch } from './patches.ts';

interface Watcher {
  readonly collection: string;
  readonly namespace: string;
  push(line: string): void;
}

/** One change, for watches that begin later. */
interface Happened {
  readonly revision: number;
  readonly collection: string;
  readonly namespace: string;
  readonly line: string;
}

function concerns(happened: Happened, watcher: Watcher): boolean {
  if (happened.collection !== watcher.collection) return false;
  return watcher.namespace === '' || watcher.namespace === happened.namespace;
}

interface Target {
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

type Stored = ApiObject & { readonly spec?: Record<string, unknown>; readonly status?: unknown };

/**
 * An API server in memory for tests of the shells: CRUD, watches, resource versions and finalizers as the real one
 * has them, without admission, defaults or validation. Pods that are deleted stay until their grace is cut to zero.
 */
export class FakeApi implements Transport {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Set<Watcher>();
  readonly #history: Happened[] = [];
  /** Requests that changed something, for example `POST pods ns`. */
  readonly writes: string[] = [];
  /** Thrown instead of the next write that matches. */
  fail: ((request: string) => StatusError | undefined) | undefined;
  #revision = 1;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get client(): ApiClient {
    return new ApiClient(this);
  }

  /** All objects of a resource. */
  list<T extends ApiObject>(resource: Resource<T>): T[] {
    const prefix = `${collectionOf(resource)} `;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object as T);
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    try {
      const url = new URL(request.path, 'http://fake');
      if (url.pathname === '/api' || url.pathname === '/apis') return json(200, discoveryOf(url.pathname === '/api'));
      const target = parse(url.pathname);
      const body: unknown = request.body === undefined ? undefined : JSON.parse(String(request.body));
      if (request.method === 'GET') {
        if (url.searchParams.get('watch') === 'true') {
          return this.#watch(target, Number(url.searchParams.get('resourceVersion')), request.signal);
        }
        return json(200, target.name === '' ? this.#listOf(target) : this.#get(target));
      }
      const told = `${request.method} ${target.resource.resource}${target.subresource && `/${target.subresource}`} ${target.name}`;
      const failure = this.fail?.(told);
      if (failure !== undefined) throw failure;
      this.writes.push(told.trim());
      return json(200, this.#write(request.method, target, body, request.headers?.['content-type'] ?? ''));
    } catch (error) {
      if (error instanceof StatusError) return json(error.code, error.status);
      throw error;
    }
  }

  async close(): Promise<void> {}

  #write(method: ApiRequest['method'], target: Target, body: unknown, contentType: string): ApiObject | Status {
    switch (method) {
      case 'POST':
        return this.#create(target, body as Stored);
      case 'PUT':
        return this.#update(target, () => body as Stored);
      case 'PATCH':
        return this.#update(target, (old) => {
          const merge = contentType.includes('strategic') ? strategicPatch : mergePatch;
          return merge(old, body) as Stored;
        });
      default:
        return this.#delete(target, (body ?? {}) as DeleteBody);
    }
  }

  #create(target: Target, object: Stored): Stored {
    const given = object.metadata ?? {};
    const name = given.name ?? `${given.generateName ?? ''}${randomSuffix(this.#random)}`;
    const full = { ...target, name };
    if (this.#objects.has(keyOf(full))) throw alreadyExists(target.resource, name);
    const metadata: ObjectMeta = {
      ...given,
      name,
      ...(target.namespace !== '' && { namespace: target.namespace }),
      uid: this.#random.uuid(),
      creationTimestamp: rfc3339(this.#clock.now()),
      generation: 1,
    };
    return this.#store(full, { ...object, metadata }, 'ADDED');
  }

  #update(target: Target, change: (old: Stored) => Stored): Stored {
    const old = this.#get(target);
    const next = change(old);
    const { resourceVersion, uid } = next.metadata ?? {};
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      throw conflict(target.resource, target.name, 'the object has been modified');
    }
    if (uid !== undefined && uid !== old.metadata?.uid) throw conflict(target.resource, target.name, 'uid mismatch');
    const merged: Stored =
      target.subresource === 'status'
        ? {
            ...old,
            metadata: {
              ...old.metadata,
              ...(next.metadata?.annotations && { annotations: next.metadata.annotations }),
            },
            status: next.status,
          }
        : { ...next, ...(old.status !== undefined && { status: old.status }) };
    const respecified = JSON.stringify(merged.spec) !== JSON.stringify(old.spec);
    const generation = (old.metadata?.generation ?? 0) + Number(respecified);
    const stored: Stored = { ...merged, metadata: { ...merged.metadata, generation } };
    if (
      JSON.stringify({ ...stored, metadata: { ...stored.metadata, resourceVersion: '' } }) ===
      JSON.stringify({ ...old, metadata: { ...old.metadata, resourceVersion: '' } })
    ) {
      return old;
    }
    if (this.#isDone(stored)) return this.#remove(target, stored);
    return this.#store(target, stored, 'MODIFIED');
  }

  /** Being deleted, and nothing holds it any more. */
  #isDone({ metadata, spec }: Stored): boolean {
    const held = [...(metadata?.finalizers ?? []), ...((spec?.['finalizers'] as string[] | undefined) ?? [])];
    return (
      metadata?.deletionTimestamp !== undefined && held.length === 0 && (metadata.deletionGracePeriodSeconds ?? 0) === 0
    );
  }

  #delete(target: Target, options: DeleteBody): ApiObject | Status {
    if (target.name === '') {
      for (const { metadata } of this.#listOf(target).items) {
        this.#delete({ ...target, name: metadata?.name ?? '', namespace: metadata?.namespace ?? '' }, options);
      }
      return { status: 'Success' } as Status;
    }
    const old = this.#get(target);
    const { uid, resourceVersion } = options.preconditions ?? {};
    if (uid !== undefined && uid !== old.metadata?.uid) throw conflict(target.resource, target.name, 'uid mismatch');
    if (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion) {
      throw conflict(target.resource, target.name, 'version mismatch');
    }
    const others = (old.metadata?.finalizers ?? []).filter(
      (entry) => entry !== 'orphan' && entry !== 'foregroundDeletion',
    );
    const added = { Orphan: ['orphan'], Foreground: ['foregroundDeletion'], Background: [] }[
      options.propagationPolicy ?? 'Background'
    ];
    const graceful = target.resource.resource === 'pods' && old.spec?.['nodeName'] !== undefined;
    const stored: Stored = {
      ...old,
      metadata: {
        ...old.metadata,
        deletionTimestamp: old.metadata?.deletionTimestamp ?? rfc3339(this.#clock.now()),
        deletionGracePeriodSeconds: graceful ? (options.gracePeriodSeconds ?? 30) : 0,
        finalizers: [...others, ...added],
      },
    };
    if (this.#isDone(stored)) return this.#remove(target, stored);
    return this.#store(target, stored, 'MODIFIED');
  }

  #remove(target: Target, object: Stored): Stored {
    this.#objects.delete(keyOf(target));
    const metadata = { ...object.metadata, resourceVersion: String(++this.#revision) };
    this.#tell(target, 'DELETED', { ...object, metadata });
    return object;
  }

  #store(target: Target, object: Stored, type: 'ADDED' | 'MODIFIED'): Stored {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#revision) };
    const stored = { ...object, metadata };
    this.#objects.set(keyOf(target), stored);
    this.#tell(target, type, stored);
    return stored;
  }

  #tell(target: Target, type: string, object: Stored): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    const { namespace } = target;
    const happened = { revision: this.#revision, collection: collectionOf(target.resource), namespace, line };
    this.#history.push(happened);
    for (const watcher of this.#watchers) if (concerns(happened, watcher)) watcher.push(line);
  }

  #get(target: Target): Stored {
    const found = this.#objects.get(keyOf(target));
    if (found === undefined) throw notFound(target.resource, target.name);
    return found;
  }

  #listOf({ resource, namespace }: Target): { metadata: ObjectMeta; items: ApiObject[] } {
    const items = this.list(resource).filter(({ metadata }) => namespace === '' || metadata?.namespace === namespace);
    return { metadata: { resourceVersion: String(this.#revision) }, items };
  }

  #watch(target: Target, since: number, signal: AbortSignal | undefined): ApiResponse {
    const lines: string[] = [];
    let wake = (): void => {};
    const watcher: Watcher = {
      collection: collectionOf(target.resource),
      namespace: target.namespace,
      push: (line) => {
        lines.push(line);
        wake();
      },
    };
    this.#watchers.add(watcher);
    const missed = this.#history.filter((happened) => happened.revision > since && concerns(happened, watcher));
    lines.push(...missed.map(({ line }) => line));
    const watchers = this.#watchers;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        while (signal?.aborted !== true) {
          const line = lines.shift();
          if (line !== undefined) yield Buffer.from(line);
          else {
            await new Promise<void>((resolve) => {
              wake = resolve;
              signal?.addEventListener('abort', () => resolve(), { once: true });
            });
          }
        }
      } finally {
        watchers.delete(watcher);
      }
    }
    return { status: 200, headers: {}, body: body() };
  }
}

interface DeleteBody {
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy?: 'Orphan' | 'Foreground' | 'Background';
  readonly gracePeriodSeconds?: number;
}

function json(status: number, value: unknown): ApiResponse {
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(JSON.stringify(value));
  }
  return { status, headers: {}, body: body() };
}

const collectionOf = ({ group, resource }: Resource): string => `${group}/${resource}`;
const keyOf = ({ resource, namespace, name }: Target): string => `${collectionOf(resource)} ${namespace}/${name}`;

function parse(path: string): Target {
  const parts = path.split('/').filter((part) => part !== '');
  const group = parts[0] === 'api' ? '' : (parts[1] ?? '');
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const scoped = rest[0] === 'namespaces' && rest.length > 2 && !['finalize', 'status'].includes(rest[2] ?? '');
  const namespace = scoped ? (rest[1] ?? '') : '';
  const [plural = '', name = '', subresource = ''] = scoped ? rest.slice(2) : rest;
  const resource = resourceTable.find((entry) => entry.group === group && entry.resource === plural);
  if (resource === undefined) throw notFound({ group, resource: plural }, name);
  return { resource, namespace, name, subresource };
}

function discoveryOf(core: boolean): object {
  const groups = Map.groupBy(
    resourceTable.filter(({ group, preferred }) => preferred && (group === '') === core),
    ({ group }) => group,
  );
  const items = [...groups].map(([name, entries]) => ({
    metadata: { name },
    versions: [
      {
        version: entries[0]?.version,
        resources: entries.map(({ resource, kind, namespaced, verbs }) => ({
          resource,
          scope: namespaced ? 'Namespaced' : 'Cluster',
          verbs,
          responseKind: { kind },
        })),
      },
    ],
  }));
  return { items };
}
