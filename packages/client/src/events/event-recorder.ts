import { type ApiObject, type Event, isNotFound, type ObjectReference, resources } from '@wherry/api';
import { type Clock, type Logger, rfc3339, type Scope } from '@wherry/daemon';
import type { ApiClient } from '../api/api-client.ts';
import { EventCorrelator } from './event-correlator.ts';

export interface EventRecorderOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly scope: Scope;
  /** Upstream's component name, for example `deployment-controller`. */
  readonly component: string;
  readonly host?: string;
}

/** Events waiting to be sent; more are dropped and counted, for events are best effort. */
const PENDING_MAX = 1000;

/** What an event is about: an object with its kind, or a reference. */
export type Regarding = ObjectReference | (ApiObject & { readonly kind: string });

/** Writes core/v1 Events in the background: repeated ones raise a count, floods are held back as in client-go. */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #correlator: EventCorrelator;
  readonly #pending: (() => Promise<void>)[] = [];
  #sending = false;
  #dropped = 0;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#correlator = new EventCorrelator(options.clock);
  }

  /** @param host where it happened; for processes that speak for several hosts */
  event(
    regarding: Regarding,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
    host = this.#options.host,
  ): void {
    const reference = referenceTo(regarding);
    const source = {
      component: this.#options.component,
      ...(host === undefined ? {} : { host }),
    };
    const nowMs = this.#options.clock.now();
    const now = rfc3339(nowMs);
    const namespace = reference.namespace ?? 'default';
    const fresh: Event = {
      apiVersion: 'v1',
      kind: 'Event',
      // Upstream's name: nanoseconds in hex; ours adds a counter since two may share a millisecond.
      metadata: { name: `${reference.name ?? ''}.${this.#correlator.nextSuffix(nowMs)}`, namespace },
      involvedObject: reference,
      reason,
      message: message.slice(0, 1024),
      source,
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
    };
    const decided = this.#correlator.correlate(fresh);
    if (decided.kind === 'drop') return;
    this.#enqueue(() =>
      decided.kind === 'create' ? this.#create(decided.event, decided.key) : this.#bump(decided.event, decided.key),
    );
  }

  #enqueue(send: () => Promise<void>): void {
    if (this.#pending.length >= PENDING_MAX) {
      this.#dropped++;
      return;
    }
    this.#pending.push(send);
    if (this.#sending) return;
    this.#sending = true;
    this.#options.scope.run('send events', async (signal) => {
      for (let next = this.#pending.shift(); next !== undefined && !signal.aborted; next = this.#pending.shift()) {
        try {
          await next();
        } catch (error) {
          // An event that cannot be stored (namespace gone, server away) is lost, as upstream; work goes on.
          this.#options.logger.warn({ err: error, dropped: this.#dropped }, 'cannot write an event');
        }
      }
      this.#sending = false;
    });
  }

  async #create(event: Event, key: string): Promise<void> {
    const { client, scope } = this.#options;
    const stored = await client.create(resources.events, event, { signal: scope.signal });
    this.#correlator.stored(key, stored.metadata?.name ?? '');
  }

  async #bump(event: Event, key: string): Promise<void> {
    const { client, scope } = this.#options;
    const { namespace = 'default', name = '' } = event.metadata ?? {};
    const { count, lastTimestamp, message } = event;
    try {
      await client.patch(
        resources.events,
        name,
        { count, lastTimestamp, message },
        { namespace, signal: scope.signal },
      );
    } catch (error) {
      if (!isNotFound(error)) throw error;
      // It expired meanwhile: the next life of the series starts here.
      await this.#create(event, key);
    }
  }
}

function referenceTo(regarding: Regarding): ObjectReference {
  if (!('metadata' in regarding) || regarding.metadata === undefined) return regarding as ObjectReference;
  const { apiVersion = 'v1', kind = '', metadata } = regarding as ApiObject;
  return {
    apiVersion,
    kind,
    ...(metadata?.name === undefined ? {} : { name: metadata.name }),
    ...(metadata?.namespace === undefined ? {} : { namespace: metadata.namespace }),
    ...(metadata?.uid === undefined ? {} : { uid: metadata.uid }),
    ...(metadata?.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
  };
}
