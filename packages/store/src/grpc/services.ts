import type { Clock, Logger } from '@wherry/daemon';
import type { Replica } from '../replica/replica.ts';
import type { ClusterOperations } from '../server/cluster-operations.ts';
import type { Requests } from '../server/requests.ts';
import { authMethods } from './auth-service.ts';
import { clusterMethods } from './cluster-service.ts';
import { kvMethods } from './kv-service.ts';
import { leaseMethods } from './lease-service.ts';
import { maintenanceMethods } from './maintenance-service.ts';
import type { Facts, GrpcMethod } from './method.ts';
import { watchMethod } from './watch-service.ts';

export interface ServiceParts {
  readonly replica: Replica;
  readonly requests: Requests;
  readonly cluster: ClusterOperations;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly facts: Facts;
  /** Calls that end when the member has no leader for long. */
  readonly watches: Set<{ leaderLost(): void }>;
}

/** Every method of etcd's v3 API, by its path. */
export function etcdMethods(parts: ServiceParts): ReadonlyMap<string, GrpcMethod> {
  const services: Readonly<Record<string, Readonly<Record<string, GrpcMethod>>>> = {
    KV: kvMethods(parts),
    Watch: { Watch: watchMethod(parts) },
    Lease: leaseMethods(parts),
    Cluster: clusterMethods(parts),
    Maintenance: maintenanceMethods(parts),
    Auth: authMethods(parts),
  };
  return new Map(
    Object.entries(services).flatMap(([service, methods]) =>
      Object.entries(methods).map(([name, method]) => [`/etcdserverpb.${service}/${name}`, method] as const),
    ),
  );
}
