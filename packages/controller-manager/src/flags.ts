import type { FlagSpec, FlagValues } from '@wherry/daemon';
import { controllerNames, isKnownController } from './controllers.ts';
import type { Options } from './spine/options.ts';

const workers = (count: number, of: string) =>
  ({ kind: 'integer', default: count, min: 1, max: 1000, help: `${of} worked on at once` }) as const;

/** Names, units and defaults as upstream's; durations in milliseconds once parsed. */
export const flags = {
  kubeconfig: { kind: 'string', help: 'kubeconfig of the API server' },
  'bind-address': { kind: 'string', default: '127.0.0.1', help: 'address of health and metrics; upstream: all' },
  'secure-port': { kind: 'integer', default: 10257, min: 0, max: 65535, help: 'port of health and metrics' },
  'tls-cert-file': { kind: 'string', optional: true, help: 'certificate for --secure-port; plain HTTP without' },
  'tls-private-key-file': { kind: 'string', optional: true, help: 'key of --tls-cert-file' },
  'leader-elect': { kind: 'boolean', default: true, help: 'work only while holding the leader lease' },
  'leader-elect-lease-duration': {
    kind: 'duration',
    default: 15_000,
    help: 'others take over this long after the last renewal',
  },
  'leader-elect-renew-deadline': {
    kind: 'duration',
    default: 10_000,
    help: 'give up after failing to renew for this long',
  },
  'leader-elect-retry-period': { kind: 'duration', default: 2_000, help: 'between two tries to acquire or renew' },
  'leader-elect-resource-name': { kind: 'string', default: 'kube-controller-manager', help: 'name of the lease' },
  'leader-elect-resource-namespace': { kind: 'string', default: 'kube-system', help: 'namespace of the lease' },
  controllers: {
    kind: 'list',
    default: ['*'],
    help: "controllers to run: '*' all but bootstrap-signer-controller and token-cleaner-controller, 'name' this one, '-name' not this one",
  },
  'allocate-node-cidrs': { kind: 'boolean', default: false, help: 'give each node a pod CIDR out of --cluster-cidr' },
  'cluster-cidr': { kind: 'string', optional: true, help: 'addresses of pods, for example 10.244.0.0/16' },
  'node-cidr-mask-size': { kind: 'integer', default: 24, min: 8, max: 32, help: 'prefix length of a node pod CIDR' },
  'service-cluster-ip-range': { kind: 'string', optional: true, help: 'addresses of Services, kept out of node CIDRs' },
  'node-monitor-period': { kind: 'duration', default: 5_000, help: 'between two looks at all nodes' },
  'node-monitor-grace-period': { kind: 'duration', default: 50_000, help: 'a node silent for longer is not ready' },
  'node-startup-grace-period': { kind: 'duration', default: 60_000, help: 'the same for a node that never reported' },
  'node-eviction-rate': { kind: 'string', default: '0.1', help: 'nodes a second whose pods are evicted, per zone' },
  'secondary-node-eviction-rate': { kind: 'string', default: '0.01', help: 'the same in a disrupted large zone' },
  'unhealthy-zone-threshold': { kind: 'string', default: '0.55', help: 'share of unready nodes that disrupts a zone' },
  'large-cluster-size-threshold': { kind: 'integer', default: 50, min: 0, help: 'nodes above which a zone is large' },
  'terminated-pod-gc-threshold': { kind: 'integer', default: 12_500, help: 'ended pods to keep; 0 or less keeps all' },
  'root-ca-file': { kind: 'string', optional: true, help: 'CA bundle to publish in every namespace' },
  'service-account-private-key-file': {
    kind: 'string',
    optional: true,
    help: 'accepted as upstream; only the API server issues tokens',
  },
  'cluster-signing-cert-file': { kind: 'string', optional: true, help: 'CA that signs certificate requests' },
  'cluster-signing-key-file': { kind: 'string', optional: true, help: 'key of --cluster-signing-cert-file' },
  'cluster-signing-duration': {
    kind: 'duration',
    default: 365 * 24 * 3_600_000,
    help: 'longest life of a certificate that is signed; requests may ask for less',
  },
  'concurrent-deployment-syncs': workers(5, 'Deployments'),
  'concurrent-replicaset-syncs': workers(5, 'ReplicaSets'),
  'concurrent-rc-syncs': workers(5, 'ReplicationControllers'),
  'concurrent-statefulset-syncs': workers(5, 'StatefulSets'),
  'concurrent-daemonset-syncs': workers(2, 'DaemonSets'),
  'concurrent-job-syncs': workers(5, 'Jobs'),
  'concurrent-cron-job-syncs': workers(5, 'CronJobs'),
  'concurrent-endpoint-syncs': workers(5, 'Services for Endpoints'),
  'concurrent-service-endpoint-syncs': workers(5, 'Services for EndpointSlices'),
  'mirroring-concurrent-service-endpoint-syncs': workers(5, 'Services for mirrored EndpointSlices'),
  'concurrent-gc-syncs': workers(20, 'objects of the garbage collector'),
  'concurrent-namespace-syncs': workers(10, 'terminating namespaces'),
  'concurrent-ttl-after-finished-syncs': workers(5, 'finished Jobs'),
  'concurrent-resource-quota-syncs': workers(5, 'ResourceQuotas'),
  'resource-quota-sync-period': { kind: 'duration', default: 300_000, help: 'between two counts of a quota usage' },
} as const satisfies FlagSpec;

export type Flags = FlagValues<typeof flags>;

/** Contents of the files that flags name. */
export interface Files {
  readonly rootCa: string | undefined;
  readonly clusterSigning: Options['clusterSigning'];
}

/** @throws Error that lists every setting that makes no sense */
export function optionsOf(given: Flags, files: Files): Options {
  const problems: string[] = [];
  const rate = (name: 'node-eviction-rate' | 'secondary-node-eviction-rate' | 'unhealthy-zone-threshold'): number => {
    const value = Number(given[name]);
    if (!Number.isFinite(value) || value < 0) problems.push(`--${name} is "${given[name]}", must be a number from 0`);
    return value;
  };
  if (given['leader-elect-renew-deadline'] >= given['leader-elect-lease-duration']) {
    problems.push('--leader-elect-renew-deadline must be shorter than --leader-elect-lease-duration');
  }
  if (given['leader-elect-retry-period'] * 1.2 >= given['leader-elect-renew-deadline']) {
    problems.push('--leader-elect-retry-period times 1.2 must be shorter than --leader-elect-renew-deadline');
  }
  if (given['allocate-node-cidrs'] && given['cluster-cidr'] === undefined) {
    problems.push('--allocate-node-cidrs needs --cluster-cidr');
  }
  if (given['cluster-signing-duration'] <= 0) problems.push('--cluster-signing-duration must be longer than 0');
  for (const entry of given.controllers) {
    if (entry !== '*' && !isKnownController(entry.replace(/^-/, ''))) {
      problems.push(`--controllers names "${entry}", known are ${controllerNames().join(', ')}`);
    }
  }
  const options: Options = {
    clusterCidr: given['cluster-cidr'],
    serviceCidr: given['service-cluster-ip-range'],
    allocateNodeCidrs: given['allocate-node-cidrs'],
    nodeCidrMaskSize: given['node-cidr-mask-size'],
    nodeMonitorPeriodMs: given['node-monitor-period'],
    nodeMonitorGracePeriodMs: given['node-monitor-grace-period'],
    nodeStartupGracePeriodMs: given['node-startup-grace-period'],
    nodeEvictionRate: rate('node-eviction-rate'),
    secondaryNodeEvictionRate: rate('secondary-node-eviction-rate'),
    unhealthyZoneThreshold: rate('unhealthy-zone-threshold'),
    largeClusterSizeThreshold: given['large-cluster-size-threshold'],
    terminatedPodGcThreshold: given['terminated-pod-gc-threshold'],
    clusterSigningDurationMs: given['cluster-signing-duration'],
    ...files,
    resourceQuotaSyncPeriodMs: given['resource-quota-sync-period'],
    concurrent: {
      deployment: given['concurrent-deployment-syncs'],
      replicaSet: given['concurrent-replicaset-syncs'],
      replicationController: given['concurrent-rc-syncs'],
      statefulSet: given['concurrent-statefulset-syncs'],
      daemonSet: given['concurrent-daemonset-syncs'],
      job: given['concurrent-job-syncs'],
      cronJob: given['concurrent-cron-job-syncs'],
      endpoint: given['concurrent-endpoint-syncs'],
      serviceEndpoint: given['concurrent-service-endpoint-syncs'],
      mirroringServiceEndpoint: given['mirroring-concurrent-service-endpoint-syncs'],
      garbageCollector: given['concurrent-gc-syncs'],
      namespace: given['concurrent-namespace-syncs'],
      ttlAfterFinished: given['concurrent-ttl-after-finished-syncs'],
      resourceQuota: given['concurrent-resource-quota-syncs'],
    },
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return options;
}
