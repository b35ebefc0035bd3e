/** Options of every request. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
}
export interface ScopedOptions extends RequestOptions {
  /** For namespaced resources; a list without it covers all namespaces. */
  readonly namespace?: string;
}
export interface GetOptions extends ScopedOptions {
  readonly subresource?: string;
  readonly resourceVersion?: string;
}
export interface ListOptions extends ScopedOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly limit?: number;
  readonly continue?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  /** Over the connection of the watches. A daemon that starts lists dozens of kinds at once. @default false */
  readonly multiplexed?: boolean;
}
export interface WatchOptions extends ScopedOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly allowWatchBookmarks?: boolean;
  readonly timeoutSeconds?: number;
}
export interface WriteOptions extends ScopedOptions {
  readonly subresource?: string;
  readonly dryRun?: boolean;
  readonly fieldManager?: string;
  /** What becomes of unknown and duplicate fields. @default the server's: 'Warn' */
  readonly fieldValidation?: 'Strict' | 'Warn' | 'Ignore';
}
export interface CreateOptions extends WriteOptions {
  /** The object whose subresource is created, for example the pod of a binding. */
  readonly name?: string;
}
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';
export interface PatchOptions extends WriteOptions {
  /** @default 'merge' */
  readonly type?: PatchType;
  readonly force?: boolean;
}
export interface ApplyOptions extends Omit<WriteOptions, 'fieldManager'> {
  /** Who states the configuration, and owns what it states from then on. */
  readonly fieldManager: string;
  /** Take fields from others instead of failing with a conflict. @default false */
  readonly force?: boolean;
}
export type PropagationPolicy = 'Foreground' | 'Background' | 'Orphan';
export interface DeleteOptions extends ScopedOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: PropagationPolicy;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly dryRun?: boolean;
}
export interface DeleteCollectionOptions extends DeleteOptions {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** `?a=b&c=d`, or nothing when every value is undefined. */
export function queryText(query: Query): string {
  let text = '';
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === '') continue;
    text += `${text === '' ? '?' : '&'}${name}=${encodeURIComponent(value)}`;
  }
  return text;
}
