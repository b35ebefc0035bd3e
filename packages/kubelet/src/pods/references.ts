// ConfigMaps and Secrets that pods refer to. Read on demand and shared: an answer serves every pod that asked before
// it arrived, and running pods read again once it is a sync period old. The API server allows a node no more than the
// objects its own pods name, so there is no informer over all of them.
import {
  type ApiObject,
  type ConfigMap,
  isNotFound,
  type Resource,
  resources,
  type Secret,
  StatusError,
} from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import type { Clock } from '@wherry/daemon';
import { withDeadline } from './deadline.ts';

interface Entry<T> {
  /** When the request was sent: what was written before that is in the answer. */
  readonly askedAtMs: number;
  readonly answer: Promise<T | undefined>;
}

/** An API server that takes longer is as good as away. */
const answerMsMax = 5_000;
/** Objects kept at most; the oldest answers go first. */
const entriesMax = 2_000;

class Cache<T extends ApiObject> {
  readonly #client: ApiClient;
  readonly #clock: Clock;
  readonly #resource: Resource<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(client: ApiClient, clock: Clock, resource: Resource<T>) {
    this.#client = client;
    this.#clock = clock;
    this.#resource = resource;
  }

  get(namespace: string, name: string, notOlderThanMs: number): Promise<T | undefined> {
    const key = `${namespace}/${name}`;
    const known = this.#entries.get(key);
    if (known !== undefined && known.askedAtMs >= notOlderThanMs) return known.answer;
    const entry = { askedAtMs: this.#clock.monotonicMs(), answer: this.#fetch(namespace, name, known?.answer) };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    // A failure is told to those who wait, and asked again by the next.
    entry.answer.catch(() => {
      if (this.#entries.get(key) !== entry) return;
      this.#entries.delete(key);
      if (known !== undefined) this.#entries.set(key, known);
    });
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > entriesMax && oldest !== undefined) this.#entries.delete(oldest);
    return entry.answer;
  }

  /** While the API server is away the last answer serves: a container must be able to start again without it. */
  async #fetch(namespace: string, name: string, last: Promise<T | undefined> | undefined): Promise<T | undefined> {
    try {
      return await withDeadline(this.#clock, answerMsMax, undefined, (signal) =>
        this.#client.get(this.#resource, name, { namespace, signal }),
      );
    } catch (error) {
      if (isNotFound(error)) return undefined;
      if (error instanceof StatusError || last === undefined) throw error;
      return last;
    }
  }
}

/** `notOlderThanMs` is on the clock's monotonic reading. undefined: there is no such object. */
export interface References {
  configMap(namespace: string, name: string, notOlderThanMs: number): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string, notOlderThanMs: number): Promise<Secret | undefined>;
}

export function apiReferences(client: ApiClient, clock: Clock): References {
  const configMaps = new Cache(client, clock, resources.configmaps);
  const secrets = new Cache(client, clock, resources.secrets);
  return {
    configMap: (namespace, name, notOlderThanMs) => configMaps.get(namespace, name, notOlderThanMs),
    secret: (namespace, name, notOlderThanMs) => secrets.get(namespace, name, notOlderThanMs),
  };
}
