// The node's heartbeat: a Lease in kube-node-lease that is renewed four times in its duration (KEP-589).
import { isAlreadyExists, isConflict, isNotFound, type Lease, type Node, resources } from '@wherry/api';
import type { ApiClient } from '@wherry/client';
import { type Clock, type Logger, pause, rfc3339Micro } from '@wherry/daemon';

const namespace = 'kube-node-lease';
const renewalsPerDuration = 4;
const retryMs = 1_000;

export interface NodeLeaseOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  readonly durationSeconds: number;
  /** The registered node, whose lease goes with it. */
  readonly node: () => Node | undefined;
}

function spec(options: NodeLeaseOptions) {
  return {
    holderIdentity: options.nodeName,
    leaseDurationSeconds: options.durationSeconds,
    renewTime: rfc3339Micro(options.clock.now()),
  };
}

async function create(options: NodeLeaseOptions): Promise<Lease> {
  const uid = options.node()?.metadata?.uid;
  const owner = { apiVersion: 'v1', kind: 'Node', name: options.nodeName, uid: uid ?? '' };
  const lease: Lease = {
    metadata: { name: options.nodeName, namespace, ...(uid !== undefined && { ownerReferences: [owner] }) },
    spec: spec(options),
  };
  try {
    return await options.client.create(resources.leases, lease);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return options.client.get(resources.leases, options.nodeName, { namespace });
  }
}

async function renew(options: NodeLeaseOptions, held: Lease | undefined): Promise<Lease | undefined> {
  const lease = held ?? (await create(options));
  try {
    return await options.client.update(resources.leases, { ...lease, spec: spec(options) });
  } catch (error) {
    // Somebody else changed or deleted it: read it again next time.
    if (isConflict(error) || isNotFound(error)) return undefined;
    throw error;
  }
}

/** Renews until the signal aborts. */
export async function keepNodeLease(options: NodeLeaseOptions, signal: AbortSignal): Promise<void> {
  const periodMs = (options.durationSeconds * 1000) / renewalsPerDuration;
  let lease: Lease | undefined;
  while (!signal.aborted) {
    let waitMs = periodMs;
    try {
      lease = await renew(options, lease);
      if (lease === undefined) waitMs = Math.min(periodMs, 200);
    } catch (error) {
      options.logger.warn({ err: error }, 'cannot renew the node lease');
      waitMs = Math.min(periodMs, retryMs);
    }
    if (!(await pause(options.clock, waitMs, signal))) return;
  }
}
