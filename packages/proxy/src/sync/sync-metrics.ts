import type { Metrics } from '@wherry/daemon';

/** The proxy's metrics under upstream's names. */
export interface SyncMetrics {
  synced(kind: 'full' | 'partial', durationMs: number, atMs: number): void;
  failed(): void;
  /** From the change of a pod to rules that reflect it. */
  programmed(latencyMs: number): void;
}

const SYNC_BUCKETS_SECONDS = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1, 2, 4, 8, 16];
const PROGRAMMING_BUCKETS_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60];

export function createSyncMetrics(metrics: Metrics): SyncMetrics {
  const duration = metrics.histogram(
    'kubeproxy_sync_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds',
    SYNC_BUCKETS_SECONDS,
  );
  const fullDuration = metrics.histogram(
    'kubeproxy_sync_full_proxy_rules_duration_seconds',
    'SyncProxyRules latency in seconds for full resyncs',
    SYNC_BUCKETS_SECONDS,
  );
  const last = metrics.gauge(
    'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
    'The last time proxy rules were successfully synced',
  );
  const failures = metrics.counter(
    'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
    'Cumulative proxy rules sync failures',
  );
  const programming = metrics.histogram(
    'kubeproxy_network_programming_duration_seconds',
    'Latency of network programming, from the change of a pod to rules in force',
    PROGRAMMING_BUCKETS_SECONDS,
  );
  return {
    synced(kind, durationMs, atMs) {
      duration.observe(durationMs / 1000);
      if (kind === 'full') fullDuration.observe(durationMs / 1000);
      last.set(atMs / 1000);
    },
    failed: () => failures.inc(),
    programmed: (latencyMs) => programming.observe(Math.max(0, latencyMs) / 1000),
  };
}
