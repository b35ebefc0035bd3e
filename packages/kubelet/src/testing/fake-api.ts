// A small API server in memory for the kubelet's own tests: generic create, get, list, watch, update, patch and delete
// with resourceVersions, graceful deletion of pods and tokens. No validation, no defaults.
import type { ApiRequest, ApiResponse, Transport } from '@wherry/client';
import { rfc3339, systemClock } from '@wherry/daemon';
import { sameJson } from '../plan/pod-status.ts';

type Json = { [key: string]: unknown };
interface Stored extends Json {
  metadata: Json & { name: string; namespace?: string; resourceVersion: string; uid: string };
}
interface Watcher {
  readonly collection: string;
  readonly matches: (object: Stored) => boolean;
  readonly push: (line: string) => void;
}

const pathPattern = /^\/(?:api|apis\/[^/]+)\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Merge patch, with the lists that the kubelet merges by key: conditions and addresses. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (key === 'conditions' && Array.isArray(value) && Array.isArray(result[key])) {
      result[key] = mergeByType(result[key], value);
    } else if ((key === 'podIPs' || key === 'hostIPs') && Array.isArray(value)) {
      result[key] = value.filter((one: unknown) => !(isObject(one) && one['$patch'] === 'delete'));
    } else result[key] = merge(result[key], value);
  }
  return result;
}

function mergeByType(old: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const typeOf = (value: unknown) => (isObject(value) ? value['type'] : undefined);
  const merged = old.map((one) => {
    const change = patch.find((other) => typeOf(other) === typeOf(one));
    return change === undefined ? one : merge(one, change);
  });
  return [...merged, ...patch.filter((one) => !old.some((other) => typeOf(other) === typeOf(one)))];
}

export class FakeApi implements Transport {
  readonly requests: string[] = [];
  /** Whom the writes were made as, where a process acts as others. */
  readonly actors = new Set<string>();
  readonly #objects = new Map<string, Stored>();
  readonly #watchers = new Set<Watcher>();
  #revision = 1;
  /** Refuses every request while set, as a server that is away. */
  away = false;

  async close(): Promise<void> {}

  /** Stores an object as a user would. */
  put(collection: string, object: object): Stored {
    const stored = object as Stored;
    const { name, namespace } = stored.metadata;
    const key = `${collection}/${namespace ?? ''}/${name}`;
    const before = this.#objects.get(key);
    const resourceVersion = String(++this.#revision);
    const uid = stored.metadata.uid ?? before?.metadata.uid ?? `uid-${name}-${this.#revision}`;
    const next = { ...stored, metadata: { ...stored.metadata, uid, resourceVersion } };
    this.#objects.set(key, next);
    this.#publish(collection, before === undefined ? 'ADDED' : 'MODIFIED', next);
    return next;
  }

  get(collection: string, namespace: string, name: string): Stored | undefined {
    return this.#objects.get(`${collection}/${namespace}/${name}`);
  }

  list(collection: string): Stored[] {
    return [...this.#objects].filter(([key]) => key.startsWith(`${collection}/`)).map(([, object]) => object);
  }

  /** Deletes as `kubectl delete` does: pods end gracefully first. */
  delete(collection: string, namespace: string, name: string, graceSeconds?: number): Stored | undefined {
    const key = `${collection}/${namespace}/${name}`;
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    const spec = isObject(object['spec']) ? object['spec'] : {};
    const grace = graceSeconds ?? Number(spec['terminationGracePeriodSeconds'] ?? 30);
    if (collection === 'pods' && grace > 0) {
      const metadata = {
        ...object.metadata,
        deletionTimestamp: rfc3339(systemClock.now()),
        deletionGracePeriodSeconds: grace,
      };
      return this.put(collection, { ...object, metadata });
    }
    this.#objects.delete(key);
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#revision) } };
    this.#publish(collection, 'DELETED', last);
    return last;
  }

  #publish(collection: string, type: string, object: Stored): void {
    for (const watcher of this.#watchers) {
      if (watcher.collection === collection && watcher.matches(object))
        watcher.push(`${JSON.stringify({ type, object })}\n`);
    }
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    if (this.away) throw new Error('connect ECONNREFUSED');
    const url = new URL(request.path, 'http://api');
    const [, namespace = '', collection = '', name, subresource] = pathPattern.exec(url.pathname) ?? [];
    this.requests.push(`${request.method} ${url.pathname}`);
    const actor = request.headers?.['impersonate-user'];
    if (actor !== undefined) this.actors.add(`${actor} ${request.method} ${url.pathname}`);
    const body: unknown = request.body === undefined ? {} : JSON.parse(String(request.body));
    if (url.searchParams.get('watch') === 'true') return this.#watch(collection, url, request.signal);
    if (subresource === 'token') {
      const expirationTimestamp = rfc3339(systemClock.now() + 3_600_000);
      return answer({ ...(body as Json), status: { token: `token-${name}`, expirationTimestamp } });
    }
    if (request.method === 'POST') return this.#create(collection, namespace, body as Stored);
    if (name === undefined) {
      const items = this.list(collection).filter(selector(url));
      return answer({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: String(this.#revision) }, items });
    }
    const object = this.get(collection, namespace, name);
    if (object === undefined) return failure(404, 'NotFound', `${collection} "${name}" not found`);
    if (request.method === 'GET') return answer(object);
    if (request.method === 'DELETE') {
      const options = body as { gracePeriodSeconds?: number };
      return answer(this.delete(collection, namespace, name, options.gracePeriodSeconds));
    }
    if (request.method === 'PUT') return answer(this.put(collection, body as Stored));
    const merged = merge(object, body) as Stored;
    // A patch that changes nothing is no write.
    return answer(sameJson(merged, object) ? object : this.put(collection, merged));
  }

  #create(collection: string, namespace: string, object: Stored): ApiResponse {
    const placed = { ...object, metadata: { ...object.metadata, ...(namespace !== '' && { namespace }) } };
    if (this.get(collection, namespace, object.metadata.name) !== undefined) {
      return failure(409, 'AlreadyExists', `${collection} "${object.metadata.name}" already exists`);
    }
    return answer(this.put(collection, placed), 201);
  }

  #watch(collection: string, url: URL, signal: AbortSignal | undefined): ApiResponse {
    const lines: string[] = [];
    let wake = Promise.withResolvers<void>();
    const watcher: Watcher = {
      collection,
      matches: selector(url),
      push: (line) => {
        lines.push(line);
        wake.resolve();
      },
    };
    this.#watchers.add(watcher);
    const from = Number(url.searchParams.get('resourceVersion') ?? 0);
    for (const object of this.list(collection)) {
      if (Number(object.metadata.resourceVersion) > from && watcher.matches(object)) {
        watcher.push(`${JSON.stringify({ type: 'ADDED', object })}\n`);
      }
    }
    signal?.addEventListener('abort', () => wake.resolve());
    const watchers = this.#watchers;
    async function* body(): AsyncGenerator<Uint8Array> {
      try {
        while (signal?.aborted !== true) {
          for (const line of lines.splice(0)) yield Buffer.from(line);
          await wake.promise;
          wake = Promise.withResolvers<void>();
        }
      } finally {
        watchers.delete(watcher);
      }
    }
    return { status: 200, headers: {}, body: body() };
  }
}

function selector(url: URL): (object: Stored) => boolean {
  const wanted = /^spec\.nodeName=(.*)$/.exec(url.searchParams.get('fieldSelector') ?? '')?.[1];
  if (wanted === undefined) return () => true;
  return (object) => isObject(object['spec']) && object['spec']['nodeName'] === wanted;
}

function answer(value: unknown, status = 200): ApiResponse {
  return { status, headers: {}, body: chunk(JSON.stringify(value)) };
}

function failure(code: number, reason: string, message: string): ApiResponse {
  return answer({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }, code);
}

async function* chunk(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
