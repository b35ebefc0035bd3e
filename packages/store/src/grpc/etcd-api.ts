import type { GrpcDoorParts } from './door.ts';
import { etcdMethods, type ServiceParts } from './services.ts';

/** etcd's whole API over one member, for any number of connections. */
export interface EtcdApi extends GrpcDoorParts {
  /** The member has had no leader for long: calls that want one end, so that their clients look elsewhere. */
  leaderLost(): void;
}

export function createEtcdApi(
  parts: Omit<ServiceParts, 'facts' | 'watches'> & { readonly onRequest: () => void },
): EtcdApi {
  const { replica, clock, logger, onRequest } = parts;
  const { clusterId, memberId } = replica.options;
  const watches: ServiceParts['watches'] = new Set();
  const facts = () => ({ clusterId, memberId, term: replica.raft.term });
  const methods = etcdMethods({ ...parts, facts, watches });
  return {
    replica,
    methods,
    clock,
    logger,
    onRequest,
    leaderLost() {
      for (const watch of [...watches]) watch.leaderLost();
    },
  };
}
