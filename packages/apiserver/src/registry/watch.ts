import { expired, type Status } from '@wherry/api';
import type { Entry } from '../cache/entry.ts';
import type { ResourceCache } from '../cache/resource-cache.ts';
import { Watcher, type WatcherStart, type WatchForm } from '../cache/watcher.ts';
import type { ApiResponse, StreamOutput } from '../http/exchange.ts';
import type { Bookmarks } from './bookmarks.ts';
import type { StoredRequest } from './context.ts';
import { type ListOptions, parseListOptions } from './options.ts';
import { awaitRevision } from './read.ts';
import { watchForm } from './render.ts';
import { type EntrySelection, selectionOf } from './selection.ts';

/** A watch without timeoutSeconds lasts between this and twice this (upstream's --min-request-timeout). */
const TIMEOUT_SECONDS_MIN = 1_800;

type Start = WatcherStart | { readonly expired: Status };

export async function watch(from: StoredRequest, bookmarks: Bookmarks): Promise<ApiResponse> {
  const { kind, stored, info, how } = from;
  const options = withName(parseListOptions(from.query, true), info.name);
  const selection = selectionOf(kind, stored, stored.namespaced ? info.namespace : '', options.labels, options.fields);
  if (options.resourceVersion === undefined || options.sendInitialEvents === true) {
    await awaitRevision(from, options.resourceVersion);
  }
  const form = watchForm(from, how.form);
  return {
    kind: 'stream',
    status: 200,
    headers: { 'content-type': 'application/json' },
    run: (output, signal) => run(from, options, selection, form, bookmarks, output, signal),
  };
}

function withName(options: ListOptions, name: string): ListOptions {
  if (name === '' || options.fields.some(({ field }) => field === 'metadata.name')) {
    return options;
  }
  return { ...options, fields: [...options.fields, { field: 'metadata.name', operator: '=', value: name }] };
}

function run(
  from: StoredRequest,
  options: ListOptions,
  selection: EntrySelection,
  form: WatchForm,
  bookmarks: Bookmarks,
  output: StreamOutput,
  signal: AbortSignal,
): void {
  const { clock, random, watchCache } = from.registry;
  const { cache } = from.stored;
  const start = startOf(cache, options, selection, watchCache.revision);
  if ('expired' in start) {
    output.write(errorFrame(start.expired));
    output.end();
    return;
  }
  const seconds = options.timeoutSeconds || TIMEOUT_SECONDS_MIN * (1 + random.next());
  const end = (reason: 'fellBehind' | 'cutOff' | 'timeout' | 'gone'): void => {
    timer.cancel();
    watcher.close();
    bookmarks.remove(watcher);
    if (reason === 'fellBehind' || reason === 'cutOff') {
      output.write(errorFrame(expired('too old resource version: the watch fell behind the history').status));
    }
    if (reason !== 'gone') {
      output.end();
    }
  };
  const watcher = new Watcher(cache, selection, form, output, start, end);
  const timer = clock.setTimer(seconds * 1000, () => {
    if (options.allowWatchBookmarks) {
      watcher.bookmark(watchCache.revision);
    }
    end('timeout');
  });
  if (options.allowWatchBookmarks) {
    bookmarks.add(watcher);
  }
  signal.addEventListener('abort', () => end('gone'), { once: true });
  output.onDrain(() => watcher.resume());
  watcher.advance();
}

function startOf(cache: ResourceCache, options: ListOptions, selection: EntrySelection, revision: number): Start {
  const { resourceVersion, sendInitialEvents } = options;
  const initialByDefault = resourceVersion === undefined || resourceVersion === 0;
  if (sendInitialEvents === true || (sendInitialEvents === undefined && initialByDefault)) {
    return {
      initial: initialEntries(cache, selection),
      position: cache.history.end,
      afterRevision: revision,
      ...(sendInitialEvents === true ? { bookmarkAfterInitial: revision } : {}),
    };
  }
  if (initialByDefault) {
    return { position: cache.history.end, afterRevision: revision };
  }
  const position = cache.history.positionAfter(resourceVersion);
  if (position === undefined) {
    return {
      expired: expired(`too old resource version: ${resourceVersion} (${cache.history.oldestRevision})`).status,
    };
  }
  return { position, afterRevision: resourceVersion };
}

/** The arrays are taken now, not when the generator first runs: what is sent later is still this moment's state. */
function initialEntries(cache: ResourceCache, selection: EntrySelection): Generator<Entry> {
  return filtered(cache.snapshot(selection.namespace), selection);
}

function* filtered(parts: readonly (readonly Entry[])[], selection: EntrySelection): Generator<Entry> {
  for (const part of parts) {
    for (const entry of part) {
      if (selection.matches(entry)) {
        yield entry;
      }
    }
  }
}

function errorFrame(status: Status): Buffer {
  return Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
}
