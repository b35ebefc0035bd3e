import { type ApiObject, objectKey, type Resource, StatusError } from '@wherry/api';
import { type Clock, jitter, type Logger, pause, type Random } from '@wherry/daemon';
import type { ApiClient } from '../api/api-client.ts';
import type { InformerCache } from './informer.ts';

interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export interface ReflectorOptions<T extends ApiObject> extends Selection {
  readonly client: ApiClient;
  readonly resource: Resource<T>;
  readonly cache: InformerCache<T>;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** First wait after a failure, doubled up to the maximum: an API server that restarts is found again at once. */
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 5_000;
/** A watch that lasted this long worked. */
const STABLE_MS_MIN = 1_000;
/** The server ends a watch after this long, randomised so that a fleet does not come back together (client-go). */
const WATCH_SECONDS_MIN = 300;
/** Items of one page of the first list. */
const PAGE_LIMIT = 10_000;

/**
 * Keeps a cache equal to the server: list, then watch from the list's revision. A broken watch resumes where it
 * stopped; only an expired revision causes a new list, which may not be older than what was seen before.
 */
export async function reflect<T extends ApiObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { clock, random, logger, resource } = options;
  let backoffMs = BACKOFF_MS_MIN;
  let needsList = true;
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs();
    try {
      if (needsList) {
        await list(options, signal);
        backoffMs = BACKOFF_MS_MIN;
      }
      needsList = false;
      await watch(options, signal);
      // A stream that ends at once, again and again, must not turn into a busy loop.
      if (clock.monotonicMs() - startedMs > STABLE_MS_MIN) {
        backoffMs = BACKOFF_MS_MIN;
        continue;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (isExpired(error)) {
        logger.info({ resource: resource.resource }, 'watch expired, listing again');
        needsList = true;
      } else {
        logger.warn({ resource: resource.resource, reason: describe(error), backoffMs }, 'list or watch failed');
      }
    }
    // Only a connection that held shows that the server is back: one that fails at once makes the wait grow.
    if (clock.monotonicMs() - startedMs > STABLE_MS_MIN) backoffMs = BACKOFF_MS_MIN;
    if (!(await pause(clock, jitter(random, backoffMs, 0.5), signal))) return;
    backoffMs = Math.min(backoffMs * 2, BACKOFF_MS_MAX);
  }
}

async function list<T extends ApiObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { client, resource, cache } = options;
  const seen = cache.resourceVersion;
  const items: T[] = [];
  let resourceVersion: string | undefined;
  let token: string | undefined;
  do {
    const page = await client.list(resource, {
      ...selection(options),
      signal,
      limit: PAGE_LIMIT,
      multiplexed: true,
      ...(token === undefined ? {} : { continue: token }),
      // Never back in time, even from a server whose cache lags; a first list asks for the present.
      ...(token === undefined && seen > 0n
        ? { resourceVersion: String(seen), resourceVersionMatch: 'NotOlderThan' as const }
        : {}),
    });
    items.push(...page.items);
    resourceVersion ??= page.metadata?.resourceVersion;
    token = page.metadata?.continue;
  } while (token !== undefined && token !== '');
  cache.replace(items, resourceVersion ?? '');
}

async function watch<T extends ApiObject>(options: ReflectorOptions<T>, signal: AbortSignal): Promise<void> {
  const { client, resource, cache, random } = options;
  const events = client.watch(resource, {
    ...selection(options),
    signal,
    resourceVersion: String(cache.resourceVersion),
    allowWatchBookmarks: true,
    timeoutSeconds: Math.floor(jitter(random, WATCH_SECONDS_MIN, 1)),
  });
  for await (const { type, object } of events) {
    switch (type) {
      case 'ADDED':
      case 'MODIFIED':
        cache.upsert(object);
        break;
      case 'DELETED':
        cache.remove(objectKey(object), object);
        break;
      case 'BOOKMARK':
        break;
    }
    cache.progress(object.metadata?.resourceVersion);
  }
}

function selection(options: Selection): Selection {
  const { namespace, labelSelector, fieldSelector } = options;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function isExpired(error: unknown): boolean {
  return error instanceof StatusError && error.code === 410;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
