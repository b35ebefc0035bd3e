import { type EndpointSlice, objectKey, type Service } from '@wherry/api';
import { type Informer, logPlan } from '@wherry/client';
import { type Clock, type Logger, pause, type Scope } from '@wherry/daemon';
import type { Dataplane } from '../dataplane/dataplane.ts';
import { type RuleChange, ruleChanges } from '../plan/difference.ts';
import { planService, type ServiceRule } from '../plan/service-rules.ts';
import type { SyncMetrics } from './sync-metrics.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** The index of EndpointSlices by the key of their Service. */
export const BY_SERVICE = 'service';

/** Upstream's trace of when the pod change happened that led to an EndpointSlice's content. */
const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 5_000;

export interface ServiceProxyOptions {
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly dataplane: Dataplane;
  readonly nodeName: string;
  /** How often the data plane is looked at for damage by others. */
  readonly checkPeriodMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: SyncMetrics;
}

/** The services whose EndpointSlice this is; slices without the label belong to nobody. */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata?.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${slice.metadata?.namespace ?? ''}/${name}`;
}

/**
 * Keeps the data plane equal to what Services and EndpointSlices say. One loop: whatever changed while the last
 * transaction was under way goes into the next one, so a quiet cluster waits for nothing and a busy one batches.
 */
export class ServiceProxy {
  readonly #options: ServiceProxyOptions;
  readonly #dirty = new Map<string, { readonly sinceMs: number }>();
  readonly #rules = new Map<string, readonly ServiceRule[]>();
  #wake: () => void = () => undefined;
  #needsResync = true;
  #syncedAtMs: number | undefined;
  #unserved: ReadonlyMap<string, string> = new Map();

  constructor(options: ServiceProxyOptions) {
    this.#options = options;
  }

  /** When everything known was in force: now when nothing waits, undefined before the first time. */
  get lastUpdatedMs(): number | undefined {
    return this.#dirty.size === 0 && !this.#needsResync ? this.#options.clock.now() : this.#syncedAtMs;
  }

  /** How long the oldest change waits, in milliseconds; 0 when none does. */
  get oldestWaitMs(): number {
    const first = this.#dirty.values().next().value;
    return first === undefined ? 0 : this.#options.clock.monotonicMs() - first.sinceMs;
  }

  run(scope: Scope): void {
    const { services, slices, checkPeriodMs, clock } = this.#options;
    services.onChange((change) => this.#touch(change.key));
    slices.onChange((change) => {
      for (const slice of [change.previous, change.object]) {
        const key = slice === undefined ? undefined : serviceKeyOf(slice);
        if (key !== undefined) this.#touch(key);
      }
    });
    scope.run('sync', (signal) => this.#loop(signal));
    scope.run('check', async (signal) => {
      while (await pause(clock, checkPeriodMs, signal)) await this.#check();
    });
  }

  #touch(key: string): void {
    if (!this.#dirty.has(key)) this.#dirty.set(key, { sinceMs: this.#options.clock.monotonicMs() });
    this.#wake();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { services, slices, clock, logger, metrics } = this.#options;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    // Rules made from half a list would cut off services that are well.
    await Promise.all([services.synced(signal), slices.synced(signal)]);
    let retryMs = RETRY_MS_MIN;
    while (!signal.aborted) {
      try {
        await this.#sync();
        retryMs = RETRY_MS_MIN;
      } catch (error) {
        this.#needsResync = true;
        metrics.failed();
        logger.error({ err: error, retryMs }, 'cannot bring service rules into force');
        await pause(clock, retryMs, signal);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
        continue;
      }
      await this.#changed(signal);
    }
  }

  async #changed(signal: AbortSignal): Promise<void> {
    if (this.#dirty.size > 0 || this.#needsResync || signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = () => undefined;
  }

  async #sync(): Promise<void> {
    const { dataplane, clock, metrics, logger } = this.#options;
    const startMs = clock.monotonicMs();
    const keys = [...this.#dirty.keys()];
    const touched = new Map(this.#dirty);
    this.#dirty.clear();
    try {
      const changes = this.#plan(keys);
      const full = this.#needsResync;
      if (full) await dataplane.resync([...this.#rules.values()].flat());
      else if (changes.length > 0) await dataplane.apply(changes);
      this.#needsResync = false;
      this.#syncedAtMs = clock.now();
      const durationMs = clock.monotonicMs() - startMs;
      metrics.synced(full ? 'full' : 'partial', durationMs, this.#syncedAtMs);
      if (full)
        logger.info({ rules: [...this.#rules.values()].flat().length, durationMs }, 'all service rules in force');
      this.#report(changes);
    } catch (error) {
      for (const [key, since] of touched) if (!this.#dirty.has(key)) this.#dirty.set(key, since);
      throw error;
    }
  }

  #plan(keys: readonly string[]): readonly RuleChange[] {
    const { services, slices, nodeName } = this.#options;
    return keys.flatMap((key) => {
      const wanted = planService(services.get(key), slices.byIndex(BY_SERVICE, key), { nodeName });
      const changes = ruleChanges(this.#rules.get(key) ?? [], wanted);
      if (wanted.length === 0) this.#rules.delete(key);
      else this.#rules.set(key, wanted);
      return changes;
    });
  }

  #report(changes: readonly RuleChange[]): void {
    const { services, slices, clock, logger, metrics } = this.#options;
    const byService = Map.groupBy(changes, (change) => serviceOfRule(ruleKeyOf(change)));
    for (const [key, group] of byService) {
      const service = services.get(key);
      const inputs = [service, ...slices.byIndex(BY_SERVICE, key)].filter((object) => object !== undefined);
      logPlan(logger, {
        controller: 'proxy',
        key,
        inputs: inputs.map((object) => ({
          key: `${object === service ? 'services' : 'endpointslices'}/${objectKey(object)}`,
          resourceVersion: object.metadata?.resourceVersion,
        })),
        why: group.map((change) => change.why).join('; '),
        actions: group.map((change) => ({ verb: change.kind, key: ruleKeyOf(change) })),
      });
      for (const slice of slices.byIndex(BY_SERVICE, key)) {
        const trigger = slice.metadata?.annotations?.[TRIGGER_TIME_ANNOTATION];
        if (trigger !== undefined) metrics.programmed(clock.now() - Date.parse(trigger));
      }
    }
    this.#reportUnserved();
  }

  /** Said once, and again when it changes. */
  #reportUnserved(): void {
    const { dataplane, logger } = this.#options;
    const unserved = new Map(dataplane.unserved().map(({ key, why }) => [key, why]));
    for (const [key, why] of unserved) if (this.#unserved.get(key) !== why) logger.warn({ key, why }, 'cannot serve');
    for (const key of this.#unserved.keys()) if (!unserved.has(key)) logger.info({ key }, 'served again');
    this.#unserved = unserved;
  }

  /** Rules that others removed (a flushed ruleset) come back without anything having changed in the API. */
  async #check(): Promise<void> {
    const { dataplane, logger } = this.#options;
    if (this.#needsResync) return;
    try {
      if (await dataplane.isIntact()) return;
      logger.warn({ mode: dataplane.mode }, 'service rules were removed by somebody else, making them again');
    } catch (error) {
      logger.warn({ err: error }, 'cannot look at the service rules, making them again');
    }
    this.#needsResync = true;
    this.#wake();
  }
}

function ruleKeyOf(change: RuleChange): string {
  return change.kind === 'remove' ? change.previous.key : change.rule.key;
}

/** `namespace/name` of a rule's key `namespace/name:port/protocol`. */
function serviceOfRule(key: string): string {
  return key.slice(0, key.indexOf(':'));
}
