import type { Deployment, Job } from '@wherry/api';

/** A Deployment as the server would store it, defaults filled in. */
export const deployment = (image: string, replicas = 3): Deployment => ({
  metadata: { name: 'web', namespace: 'ns' },
  spec: {
    replicas,
    progressDeadlineSeconds: 600,
    revisionHistoryLimit: 10,
    selector: { matchLabels: { app: 'web' } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } },
  },
});

export const job = (spec: Partial<Job['spec']> = {}): Job => ({
  metadata: { name: 'work', namespace: 'ns' },
  spec: {
    parallelism: 2,
    completions: 5,
    backoffLimit: 6,
    selector: { matchLabels: { job: 'work' } },
    template: { metadata: { labels: { job: 'work' } }, spec: { containers: [{ name: 'c' }], restartPolicy: 'Never' } },
    ...spec,
  },
});
