import type { Metrics } from '@wherry/daemon';
import type { Counter, Gauge } from 'prom-client';

export interface BalancerMetrics {
  readonly open: Gauge;
  readonly opened: Counter;
  readonly up: Gauge;
  readonly dialFailures: Counter;
  readonly ended: Counter;
  readonly refused: Counter;
  readonly bytes: Counter;
}

export function createBalancerMetrics(metrics: Metrics): BalancerMetrics {
  const name = (text: string) => `wherry_balancer_${text}`;
  return {
    open: metrics.gauge(name('connections'), 'Open connections by backend, those being dialed included.', ['backend']),
    opened: metrics.counter(name('connections_total'), 'Connections that reached a backend.', ['backend']),
    up: metrics.gauge(name('backend_up'), '1 when a backend is ready, 0 otherwise.', ['backend']),
    dialFailures: metrics.counter(name('dial_failures_total'), 'Attempts to connect to a backend that failed.', [
      'backend',
      'code',
    ]),
    ended: metrics.counter(name('streams_ended_total'), 'Connections ended because their backend went down.', [
      'backend',
    ]),
    refused: metrics.counter(name('refused_total'), 'Clients turned away.', ['reason']),
    bytes: metrics.counter(name('bytes_total'), 'Bytes of closed connections, by direction as the client sees it.', [
      'backend',
      'direction',
    ]),
  };
}
