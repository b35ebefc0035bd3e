import type { Metrics } from '@wherry/daemon';

export interface ResolverMetrics {
  answered(rcode: string, durationMs: number): void;
}

const BUCKETS = [0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4];

/** CoreDNS's names, so that dashboards made for it work. */
export function createResolverMetrics(metrics: Metrics): ResolverMetrics {
  const responses = metrics.counter('coredns_dns_responses_total', 'Counter of response status codes.', ['rcode']);
  const duration = metrics.histogram('coredns_dns_request_duration_seconds', 'Time each request took.', BUCKETS);
  return {
    answered(rcode, durationMs) {
      responses.inc({ rcode });
      duration.observe(durationMs / 1000);
    },
  };
}
