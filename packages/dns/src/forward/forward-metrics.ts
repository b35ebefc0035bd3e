import type { Metrics } from '@wherry/daemon';
import { rcodeName } from '../wire/types.ts';
import type { CachedAnswer } from './answer-cache.ts';

const DURATION_BUCKETS_SECONDS = [
  0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 5,
];

/** CoreDNS's `cache` and `forward` metrics. */
export interface ForwardMetrics {
  follow(entries: () => number): void;
  hit(type: CachedAnswer['kind']): void;
  missed(): void;
  rejected(): void;
  asked(to: string): void;
  answered(to: string, rcode: number, durationMs: number): void;
}

/** @param server label of all series, for example `dns://:53` */
export function createForwardMetrics(metrics: Metrics, server: string): ForwardMetrics {
  const hits = metrics.counter('coredns_cache_hits_total', 'The count of cache hits.', ['server', 'type', 'zones']);
  const misses = metrics.counter('coredns_cache_misses_total', 'The count of cache misses.', ['server', 'zones']);
  const entries = metrics.gauge('coredns_cache_entries', 'The number of elements in the cache.', ['server', 'zones']);
  const rejects = metrics.counter(
    'coredns_forward_max_concurrent_rejects_total',
    'Counter of the number of queries rejected because the concurrent queries were at maximum.',
  );
  const requests = metrics.counter('coredns_forward_requests_total', 'Counter of requests made per upstream.', ['to']);
  const responses = metrics.counter('coredns_forward_responses_total', 'Counter of responses received per upstream.', [
    'to',
    'rcode',
  ]);
  const duration = metrics.histogram(
    'coredns_forward_request_duration_seconds',
    'Histogram of the time each request took.',
    DURATION_BUCKETS_SECONDS,
    ['to', 'rcode'],
  );
  const common = { server, zones: '.' };
  let size: () => number = () => 0;
  const measure = () => entries.set(common, size());
  return {
    follow: (of) => {
      size = of;
      measure();
    },
    hit: (type) => hits.inc({ ...common, type }),
    missed: () => misses.inc(common),
    rejected: () => rejects.inc(),
    asked: (to) => requests.inc({ to }),
    answered: (to, rcode, durationMs) => {
      responses.inc({ to, rcode: rcodeName(rcode) });
      duration.observe({ to, rcode: rcodeName(rcode) }, durationMs / 1000);
      measure();
    },
  };
}
