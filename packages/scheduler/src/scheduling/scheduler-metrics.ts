import type { Metrics } from '@wherry/daemon';

/** The scheduler's metrics under upstream's names. */
export interface SchedulerMetrics {
  attempted(result: 'scheduled' | 'unschedulable' | 'error', durationMs: number): void;
  /** From the pod's arrival in the queue to its binding. */
  bound(waitedMs: number, attempts: number): void;
  queued(sizes: Readonly<Record<'active' | 'backoff' | 'unschedulable', number>>): void;
  leading(isLeader: boolean): void;
}

const ATTEMPT_BUCKETS = [0.0001, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1];
const SLI_BUCKETS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 40, 160, 640];

export function createSchedulerMetrics(metrics: Metrics, profile: string): SchedulerMetrics {
  const attempts = metrics.counter(
    'scheduler_schedule_attempts_total',
    "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
    ['result', 'profile'],
  );
  const duration = metrics.histogram(
    'scheduler_scheduling_attempt_duration_seconds',
    'Scheduling attempt latency in seconds (scheduling algorithm)',
    ATTEMPT_BUCKETS,
    ['result', 'profile'],
  );
  const sli = metrics.histogram(
    'scheduler_pod_scheduling_sli_duration_seconds',
    'E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue',
    SLI_BUCKETS,
    ['attempts'],
  );
  const pending = metrics.gauge('scheduler_pending_pods', 'Number of pending pods, by the queue type', ['queue']);
  const leader = metrics.gauge(
    'leader_election_master_status',
    'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
    ['name'],
  );
  return {
    attempted(result, durationMs) {
      attempts.inc({ result, profile });
      duration.observe({ result, profile }, durationMs / 1000);
    },
    bound: (waitedMs, tries) => sli.observe({ attempts: tries > 15 ? '15+' : `${tries}` }, waitedMs / 1000),
    queued(sizes) {
      for (const [queue, size] of Object.entries(sizes)) pending.set({ queue }, size);
    },
    leading: (isLeader) => leader.set({ name: 'kube-scheduler' }, isLeader ? 1 : 0),
  };
}
