import type { Metrics } from '@wherry/daemon';
import type { Inflight } from './inflight.ts';
import type { RequestInfo } from './request-info.ts';

const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
] as const;

/** Upstream's request metrics. Label sets are looked up once, since every request counts. */
export class RequestMetrics {
  readonly #total;
  readonly #duration;
  readonly #children = new Map<string, { inc(): void; observe(seconds: number): void }>();

  constructor(metrics: Metrics, inflight: Inflight) {
    const labels = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'];
    this.#total = metrics.counter(
      'apiserver_request_total',
      'Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.',
      [...labels, 'code'],
    );
    this.#duration = metrics.histogram(
      'apiserver_request_duration_seconds',
      'Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.',
      DURATION_BUCKETS,
      labels,
    );
    const current = metrics.gauge(
      'apiserver_current_inflight_requests',
      'Maximal number of currently used inflight request limit of this apiserver per request kind in last second.',
      ['request_kind'],
    );
    const readOnly = current.labels('readOnly');
    const mutating = current.labels('mutating');
    Object.assign(current, {
      collect: () => {
        readOnly.set(inflight.count(false));
        mutating.set(inflight.count(true));
      },
    });
  }

  observe(info: RequestInfo, method: string, status: number, elapsedMs: number): void {
    const { group, version, resource, subresource } = info;
    const verb = info.isResourceRequest ? info.verb.toUpperCase() : method;
    const scope = scopeOf(info);
    const key = `${verb} ${group} ${version} ${resource} ${subresource} ${scope} ${status}`;
    let child = this.#children.get(key);
    if (child === undefined) {
      if (this.#children.size >= LABEL_SETS_MAX) {
        return;
      }
      const labels = { verb, group, version, resource, subresource, scope };
      const total = this.#total.labels({ ...labels, code: String(status) });
      const duration = this.#duration.labels(labels);
      child = { inc: () => total.inc(), observe: (seconds) => duration.observe(seconds) };
      this.#children.set(key, child);
    }
    child.inc();
    child.observe(elapsedMs / 1000);
  }
}

/** Unknown paths and resources must not make labels without end. */
const LABEL_SETS_MAX = 10_000;

function scopeOf(info: RequestInfo): string {
  if (!info.isResourceRequest) {
    return '';
  }
  if (info.name !== '') {
    return 'resource';
  }
  return info.namespace === '' ? 'cluster' : 'namespace';
}
