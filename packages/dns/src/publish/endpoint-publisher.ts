import { type EndpointSlice, objectKey, resources, StatusError } from '@wherry/api';
import {
  type ApiClient,
  type Informer,
  logPlan,
  OwnWrites,
  runWorkers,
  TerminalError,
  WorkQueue,
} from '@wherry/client';
import type { Clock, Logger, Scope } from '@wherry/daemon';
import { DNS_NAMESPACE, planPublication } from './endpoint-plan.ts';

/** A namespace or a right that is not there yet at the start of a cluster should not be waited for long. */
const RETRY_MS_MAX = 2_000;
/** How long a stop waits for the endpoint to be taken back. */
const WITHDRAW_MS_MAX = 3_000;

export interface EndpointPublisherOptions {
  readonly client: ApiClient;
  readonly slices: Informer<EndpointSlice>;
  readonly wanted: EndpointSlice;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps this server among the endpoints of the cluster's DNS Service while it runs. */
export class EndpointPublisher {
  readonly #options: EndpointPublisherOptions;
  readonly #key: string;
  readonly #queue: WorkQueue;
  readonly #writes: OwnWrites;

  constructor(options: EndpointPublisherOptions) {
    this.#options = options;
    this.#key = objectKey(options.wanted);
    this.#queue = new WorkQueue(options.clock, { baseMs: 50, maxMs: RETRY_MS_MAX });
    this.#writes = new OwnWrites(options.clock, options.logger, (key) => this.#queue.add(key));
  }

  /** Begins once the server answers and knows the cluster; the scope's close takes the endpoint back. */
  run(scope: Scope): void {
    const { slices, logger } = this.#options;
    scope.onClose(() => this.#withdraw());
    const work = scope.child('publish');
    runWorkers({
      name: 'dns-endpoint',
      queue: this.#queue,
      workers: 1,
      scope: work,
      logger,
      reconcile: (_, signal) => this.#reconcile(signal),
    });
    work.run('follow', async (signal) => {
      await slices.synced(signal);
      this.#queue.add(this.#key);
      work.onClose(slices.onChange(({ key }) => (key === this.#key ? this.#queue.add(key) : undefined)));
    });
  }

  async #reconcile(signal: AbortSignal): Promise<void> {
    const { client, slices, wanted } = this.#options;
    if (!this.#writes.settled(this.#key)) return;
    const current = slices.get(this.#key);
    const plan = planPublication(wanted, current);
    try {
      switch (plan.kind) {
        case 'none':
          return;
        case 'create':
        case 'update': {
          const options = { namespace: DNS_NAMESPACE, signal };
          const written =
            plan.kind === 'create'
              ? await client.create(resources.endpointslices, plan.slice, options)
              : await client.update(resources.endpointslices, plan.slice, options);
          this.#writes.wrote(this.#key, slices, written.metadata?.resourceVersion);
          this.#log(plan.kind, plan.why, current, written.metadata?.resourceVersion);
          return;
        }
        case 'replace':
          await this.#delete(plan.current, signal);
          this.#log('delete', plan.why, current);
      }
    } catch (error) {
      if (error instanceof StatusError && error.reason === 'Invalid') {
        throw new TerminalError(`Cannot publish this server's endpoint: ${error.message}`, { cause: error });
      }
      throw error;
    }
  }

  async #delete(slice: EndpointSlice, signal: AbortSignal): Promise<void> {
    const { client, slices } = this.#options;
    const { name = '', uid = '' } = slice.metadata ?? {};
    await client.delete(resources.endpointslices, name, { namespace: DNS_NAMESPACE, preconditions: { uid }, signal });
    this.#writes.deleted(this.#key, slices, this.#key, uid);
  }

  /** Without it the Service would lead to a closed port until the next start. The API server may be away, too. */
  async #withdraw(): Promise<void> {
    const { client, clock, logger, wanted } = this.#options;
    const late = new AbortController();
    const timer = clock.setTimer(WITHDRAW_MS_MAX, () => late.abort(new Error(`no answer in ${WITHDRAW_MS_MAX} ms`)));
    try {
      await client.delete(resources.endpointslices, wanted.metadata?.name ?? '', {
        namespace: DNS_NAMESPACE,
        signal: late.signal,
      });
      this.#log('delete', 'this server stops', undefined);
    } catch (error) {
      if (!(error instanceof StatusError && error.reason === 'NotFound')) {
        logger.warn({ err: error, key: this.#key }, 'cannot take back the endpoint of this server');
      }
    } finally {
      timer.cancel();
    }
  }

  #log(verb: string, why: string, input: EndpointSlice | undefined, resourceVersion?: string): void {
    const key = `endpointslices/${this.#key}`;
    logPlan(this.#options.logger, {
      controller: 'dns-endpoint',
      key: this.#key,
      inputs: input === undefined ? [] : [{ key, resourceVersion: input.metadata?.resourceVersion }],
      why,
      actions: [{ verb, key, resourceVersion }],
    });
  }
}
