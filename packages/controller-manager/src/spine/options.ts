/** The controllers' settings; see flags.ts for the flags, units and defaults. */
export interface Options {
  readonly clusterCidr: string | undefined;
  readonly serviceCidr: string | undefined;
  readonly allocateNodeCidrs: boolean;
  readonly nodeCidrMaskSize: number;
  readonly nodeMonitorPeriodMs: number;
  readonly nodeMonitorGracePeriodMs: number;
  readonly nodeStartupGracePeriodMs: number;
  /** Nodes a second whose pods are evicted, per zone. */
  readonly nodeEvictionRate: number;
  readonly secondaryNodeEvictionRate: number;
  /** Share of unready nodes from which a zone counts as disrupted. */
  readonly unhealthyZoneThreshold: number;
  readonly largeClusterSizeThreshold: number;
  readonly terminatedPodGcThreshold: number;
  readonly rootCa: string | undefined;
  readonly clusterSigning: { readonly cert: string; readonly key: string } | undefined;
  readonly clusterSigningDurationMs: number;
  readonly resourceQuotaSyncPeriodMs: number;
  readonly concurrent: ConcurrentSyncs;
}

/** Workers of each controller. */
export interface ConcurrentSyncs {
  readonly deployment: number;
  readonly replicaSet: number;
  readonly replicationController: number;
  readonly statefulSet: number;
  readonly daemonSet: number;
  readonly job: number;
  readonly cronJob: number;
  readonly endpoint: number;
  readonly serviceEndpoint: number;
  readonly mirroringServiceEndpoint: number;
  readonly garbageCollector: number;
  readonly namespace: number;
  readonly ttlAfterFinished: number;
  readonly resourceQuota: number;
}
