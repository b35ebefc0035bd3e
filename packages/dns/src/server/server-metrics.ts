import type { Metrics } from '@wherry/daemon';
import { rcodeName } from '../wire/types.ts';
import type { Protocol } from './handler.ts';

/** 0.25 ms doubled 15 times (CoreDNS). */
const DURATION_BUCKETS_SECONDS = Array.from({ length: 16 }, (_, index) => 0.00025 * 2 ** index);

export interface ServerMetrics {
  asked(zone: string, protocol: Protocol, type: string): void;
  answered(zone: string, rcode: number, durationMs: number): void;
}

/** CoreDNS's request metrics. @param server label of all series, for example `dns://:53` */
export function createServerMetrics(metrics: Metrics, server: string): ServerMetrics {
  const requests = metrics.counter(
    'coredns_dns_requests_total',
    'Counter of DNS requests made per zone, protocol and family.',
    ['server', 'zone', 'proto', 'type'],
  );
  const responses = metrics.counter('coredns_dns_responses_total', 'Counter of response status codes.', [
    'server',
    'zone',
    'rcode',
  ]);
  const duration = metrics.histogram(
    'coredns_dns_request_duration_seconds',
    'Histogram of the time (in seconds) each request took per zone.',
    DURATION_BUCKETS_SECONDS,
    ['server', 'zone'],
  );
  return {
    asked: (zone, proto, type) => requests.inc({ server, zone, proto, type }),
    answered: (zone, rcode, durationMs) => {
      responses.inc({ server, zone, rcode: rcodeName(rcode) });
      duration.observe({ server, zone }, durationMs / 1000);
    },
  };
}
